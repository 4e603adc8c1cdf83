package audit

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// ExportVersion is the first line of an export.
const ExportVersion = "entrepot/export/v1"

const (
	endLine   = "end"
	exportRun = 256 // entries read from the log at a time
	// maxHeader is the longest line outside checkpoint and entries: "checkpoint 1048576".
	maxHeader = 32
)

// ErrExport means that a stream is not a whole, unaltered export.
var ErrExport = errors.New("not a valid export of the log")

// Export writes a signed checkpoint and all entries that it covers, as they come: the log is never in
// memory whole. entries returns at most limit encoded entries from index from, in order. Entries that
// the log got after the checkpoint are left out, so that it may grow meanwhile.
func Export(w io.Writer, checkpoint []byte, entries func(from int64, limit int) ([][]byte, error)) error {
	c, err := PeekCheckpoint(checkpoint)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "%s\ncheckpoint %d\n%s", ExportVersion, len(checkpoint), checkpoint)
	for next := int64(0); next < c.Size; {
		run, err := entries(next, int(min(exportRun, c.Size-next)))
		if err != nil {
			return fmt.Errorf("entries from %d: %w", next, err)
		}
		if len(run) == 0 {
			return fmt.Errorf("entry %d: the checkpoint covers it, the log does not have it", next)
		}
		for _, entry := range run {
			fmt.Fprintf(out, "entry %d\n%s", len(entry), entry)
			next++
		}
	}
	fmt.Fprintf(out, "%s\n", endLine)
	return out.Flush() // reports any write that failed before
}

// exportReader reads an export's frames.
type exportReader struct{ in *bufio.Reader }

// open reads up to and including the checkpoint.
func (r exportReader) open() (checkpoint []byte, err error) {
	line, err := r.line()
	if err != nil {
		return nil, err
	}
	if line != ExportVersion {
		return nil, fmt.Errorf("%w: it does not begin with %s", ErrExport, ExportVersion)
	}
	return r.frame("checkpoint", MaxCheckpoint)
}

// close reads the end, after which nothing may come.
func (r exportReader) close() error {
	line, err := r.line()
	if err != nil {
		return err
	}
	if line != endLine {
		return fmt.Errorf("%w: more follows than the checkpoint covers", ErrExport)
	}
	if _, err := r.in.ReadByte(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: bytes follow its end", ErrExport)
	}
	return nil
}

// frame reads "label length" and that many bytes.
func (r exportReader) frame(label string, limit int) ([]byte, error) {
	line, err := r.line()
	if err != nil {
		return nil, err
	}
	digits, ok := strings.CutPrefix(line, label+" ")
	n, err := strconv.Atoi(digits)
	if !ok || err != nil || n < 0 || n > limit || strconv.Itoa(n) != digits {
		return nil, fmt.Errorf("%w: %.40q stands where %q and a length of at most %d should", ErrExport, line, label, limit)
	}
	frame := make([]byte, n)
	if _, err := io.ReadFull(r.in, frame); err != nil {
		return nil, fmt.Errorf("%w: it ends within a %s: %w", ErrExport, label, err)
	}
	return frame, nil
}

// line reads a short line, without its end.
func (r exportReader) line() (string, error) {
	var line []byte
	for len(line) <= maxHeader {
		b, err := r.in.ReadByte()
		if err != nil {
			return "", fmt.Errorf("%w: it ends early: %w", ErrExport, err)
		}
		if b == '\n' {
			return string(line), nil
		}
		line = append(line, b)
	}
	return "", fmt.Errorf("%w: %.40q is not a line of its frame", ErrExport, line)
}
