package datasets

import (
	"errors"
	"fmt"
	"io"
	"mime"
)

// Format is a file format that Ingest reads.
type Format string

// The formats an upload may have.
const (
	Parquet     Format = "parquet"
	ArrowFile   Format = "arrow_file"   // Arrow IPC, random access, also known as Feather 2
	ArrowStream Format = "arrow_stream" // Arrow IPC stream, with its end-of-stream marker
	CSV         Format = "csv"          // RFC 4180, UTF-8, commas, a header line
)

// FormatOf returns the format for a Content-Type.
func FormatOf(contentType string) (Format, bool) {
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return "", false
	}
	f, ok := map[string]Format{
		"application/vnd.apache.parquet":      Parquet,
		"application/vnd.apache.arrow.file":   ArrowFile,
		"application/vnd.apache.arrow.stream": ArrowStream,
		"text/csv":                            CSV,
	}[media]
	return f, ok
}

// Upload is a file that an owner sends. Data is read at random and more than once.
type Upload struct {
	Format Format
	Data   io.ReaderAt
	Size   int64 // bytes
}

// Options limit an ingest. The zero value of each field is its default.
type Options struct {
	Strict       bool   // refuse the upload where anything would have to be changed or left out
	TempDir      string // where rows are spilled; default: the folder of the output
	MemoryLimit  int64  // bytes of rows held in memory before they are spilled, about; default 128 MiB
	DecodeLimit  int64  // bytes that a reader may hold while it decodes; default 512 MiB
	SpillLimit   int64  // bytes of temporary files; default 64 GiB
	MaxRows      int64  // rows of an upload; default 1,000,000,000
	MaxColumns   int    // columns of an upload, declared or not; default 10,000
	BatchRows    int64  // rows decoded at a time, where the format leaves a choice; default 16,384
	RowGroupRows int64  // rows in one row group of the output; default 122,880
}

func (o Options) withDefaults() Options {
	number := func(v *int64, byDefault int64) {
		if *v <= 0 {
			*v = byDefault
		}
	}
	number(&o.MemoryLimit, 128<<20)
	number(&o.DecodeLimit, 512<<20)
	number(&o.SpillLimit, 64<<30)
	number(&o.MaxRows, 1_000_000_000)
	number(&o.BatchRows, 16_384)
	number(&o.RowGroupRows, 122_880)
	if o.MaxColumns <= 0 {
		o.MaxColumns = 10_000
	}
	return o
}

// Errors of Ingest. No message quotes a cell, but for ErrDuplicates: what a CSV file without a header names its columns
// is a row of it, so names that only the file has are not quoted either.
var (
	// ErrFormat means that the format is not one that is read. Convert the file.
	ErrFormat = errors.New("unknown format")
	// ErrMalformed means that the file cannot be read as what it claims to be, or lacks declared
	// columns. Mend the file; nothing was written.
	ErrMalformed = errors.New("malformed upload")
	// ErrColumns means that the file's columns do not suit the declaration: missing, given twice,
	// or of a type without a meaning here. It is a kind of ErrMalformed.
	ErrColumns = fmt.Errorf("%w: columns", ErrMalformed)
	// ErrDuplicates means that rows of a public table agree in all columns of Declaration.Unique, as they
	// would be stored. The message quotes some of those values. Keep one of the rows, or declare more
	// columns unique; nothing was written. It is a kind of ErrMalformed.
	ErrDuplicates = fmt.Errorf("%w: duplicates", ErrMalformed)
	// ErrTooLarge means that a limit was passed. Split the file, or raise the limit.
	ErrTooLarge = errors.New("upload too large")
	// ErrStrict means that strict mode refused the upload. The report says why; nothing was written.
	ErrStrict = errors.New("strict mode refused the upload")
	// ErrKey means that the key is shorter than MinKey. This is the caller's mistake.
	ErrKey = errors.New("privacy-ID key too short")
)

// StrictError is how strict mode refuses: it carries the report and matches ErrStrict.
type StrictError struct{ Report Report }

// Error counts what the report tells, without quoting a cell.
func (e *StrictError) Error() string {
	return fmt.Sprintf("%v: of %d rows %d would be kept, and %d cells changed",
		ErrStrict, e.Report.RowsRead, e.Report.RowsKept, e.Report.changed())
}

// Is makes the error match ErrStrict.
func (e *StrictError) Is(target error) bool { return target == ErrStrict }
