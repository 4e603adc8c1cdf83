package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"entrepot/datasets"
	"entrepot/sandbox"
)

func datasetUpload() *cobra.Command {
	c := &cobra.Command{Use: "upload ORGANISATION.NAME FILE", Short: "Upload the next version of a table's rows (owners)", Args: cobra.ExactArgs(2),
		Long: `Upload a whole table. It is registered whole or not at all; questions then answer from it.
Values that do not fit the declaration are clamped, nulled or dropped, and the report says how many;
with --strict any such value refuses the upload.`}
	format := c.Flags().String("format", "", "parquet, arrow_file, arrow_stream or csv (default by the file's name)")
	choices(c, "format", string(datasets.Parquet), string(datasets.ArrowFile), string(datasets.ArrowStream), string(datasets.CSV))
	strict := c.Flags().Bool("strict", false, "refuse the upload if anything in it would have to be changed")
	return online(c, bulkTimeout, func(s *session, args []string) error {
		org, name, err := pair("a dataset", ".", args[0])
		if err != nil {
			return err
		}
		f, err := os.Open(args[1])
		if err != nil {
			return err
		}
		err = s.upload(f, *format, *strict, org, name)
		return errors.Join(err, f.Close())
	})
}

func (s *session) upload(f *os.File, format string, strict bool, org, name string) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return usage("%s is not a file", f.Name())
	}
	contentType, err := mediaTypeOf(format, f.Name(), f)
	if err != nil {
		return err
	}
	p := newProgress(s.err, "uploaded", info.Size())
	r := call{method: http.MethodPost, path: []string{"v1", "datasets", org, name, "versions"},
		query: url.Values{"strict": {strconv.FormatBool(strict)}}, body: p.reader(f), contentType: contentType, size: info.Size(),
		header: http.Header{"Expect": {"100-continue"}}} // a refusal comes before the table goes
	var v sandbox.Version
	raw, _, err := s.client.fetch(s.ctx, r, &v)
	p.done()
	if err != nil {
		return err
	}
	return s.show(raw, func() string { return versionText(v, s.width()) })
}

// mediaTypeOf is the Content-Type of a table: of the format named, or of the file's extension. Arrow
// files and streams share an extension and differ in their first bytes.
func mediaTypeOf(format, path string, f io.ReaderAt) (string, error) {
	if format == "" {
		switch ext := strings.ToLower(filepath.Ext(path)); ext {
		case ".parquet", ".pq":
			format = string(datasets.Parquet)
		case ".csv":
			format = string(datasets.CSV)
		case ".arrows":
			format = string(datasets.ArrowStream)
		case ".arrow", ".feather", ".ipc":
			format = arrowFormat(f)
		default:
			return "", usage("the extension %q says no format: name one with --format (parquet, arrow_file, arrow_stream, csv)", printable(ext))
		}
	}
	switch datasets.Format(format) {
	case datasets.Parquet:
		return "application/vnd.apache.parquet", nil
	case datasets.ArrowFile:
		return "application/vnd.apache.arrow.file", nil
	case datasets.ArrowStream:
		return "application/vnd.apache.arrow.stream", nil
	case datasets.CSV:
		return "text/csv", nil
	}
	return "", usage("there is no format %q: parquet, arrow_file, arrow_stream or csv", printable(format))
}

func arrowFormat(f io.ReaderAt) string {
	magic := make([]byte, 6)
	if _, err := f.ReadAt(magic, 0); err == nil && bytes.Equal(magic, []byte("ARROW1")) {
		return string(datasets.ArrowFile)
	}
	return string(datasets.ArrowStream)
}

func versionText(v sandbox.Version, limit int) string {
	return fmt.Sprintf("%s version %d, registered %s\n%s", printable(v.Dataset), v.Version,
		v.Registered.UTC().Format(time.RFC3339), reportText(v.Report, limit))
}

// reportText tells an owner what ingest did with the rows.
func reportText(r datasets.Report, limit int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s of %s rows kept", groupedInt(r.RowsKept), groupedInt(r.RowsRead))
	if r.Units > 0 { // none in a public table
		fmt.Fprintf(&b, ", of %s privacy units", groupedInt(r.Units))
	}
	b.WriteString(".\n")
	for _, left := range []struct {
		rows int64
		why  string
	}{
		{r.RowsWithoutUnit, "without a usable privacy ID"},
		{r.RowsDropped, "without a value in a column that is not nullable"},
		{r.RowsOverLimit, "beyond max_rows_per_unit"},
	} {
		if left.rows > 0 {
			fmt.Fprintf(&b, "Left out: %s rows %s.\n", groupedInt(left.rows), left.why)
		}
	}
	if len(r.UndeclaredColumns) > 0 {
		fmt.Fprintf(&b, "Not declared, not stored: %s.\n", printable(strings.Join(r.UndeclaredColumns, ", ")))
	}
	t := table{columns: columns("column", ">clamped", ">nulled", ">rows dropped", "examples")}
	for _, c := range r.Columns {
		examples := make([]string, len(c.Examples))
		for i, e := range c.Examples {
			examples[i] = fmt.Sprintf("row %d %q %s", e.Row, e.Text, e.Outcome)
		}
		t.add(c.Name, groupedInt(c.Clamped), groupedInt(c.Nulled), groupedInt(c.RowsDropped), strings.Join(examples, "; "))
	}
	b.WriteString("\n" + t.text(limit))
	return b.String()
}
