package datasets

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// spill is a temporary file that takes what memory cannot hold. It is created when first needed,
// readable by its owner only, and unlinked at once, so that no exit of the process, not even a kill,
// leaves rows behind. Where an open file cannot be unlinked, close removes it.
type spill struct {
	dir   string
	limit int64 // bytes that may be written in all
	file  *os.File
	end   int64
}

// segment is a run of bytes in the spill file.
type segment struct{ at, length int64 }

func (s *spill) write(b []byte) (segment, error) {
	if s.end+int64(len(b)) > s.limit {
		return segment{}, fmt.Errorf("%w: its rows need more than %d bytes of temporary space", ErrTooLarge, s.limit)
	}
	if s.file == nil {
		file, err := os.CreateTemp(s.dir, ".ingest-spill-*") // mode 0600
		if err != nil {
			return segment{}, fmt.Errorf("spill: %w", err)
		}
		s.file = file
		_ = os.Remove(file.Name()) // close tries again
	}
	if _, err := s.file.WriteAt(b, s.end); err != nil {
		return segment{}, fmt.Errorf("spill: %w", err)
	}
	at := segment{s.end, int64(len(b))}
	s.end += at.length
	return at, nil
}

// read returns the segments one after the other.
func (s *spill) read(segments []segment, total int64) ([]byte, error) {
	all := make([]byte, 0, total)
	for _, g := range segments {
		all = all[:int64(len(all))+g.length]
		if _, err := s.file.ReadAt(all[int64(len(all))-g.length:], g.at); err != nil {
			return nil, fmt.Errorf("spill: %w", err)
		}
	}
	return all, nil
}

// each calls f with every string in the segments. The string is f's only during the call.
func (s *spill) each(ctx context.Context, segments []segment, f func([]byte) error) error {
	var b []byte
	r := bufio.NewReaderSize(nil, 1<<16)
	for _, g := range segments {
		r.Reset(io.NewSectionReader(s.file, g.at, g.length))
		for {
			length, err := binary.ReadUvarint(r)
			if errors.Is(err, io.EOF) {
				break
			}
			if err == nil {
				if int(length) > cap(b) {
					b = make([]byte, length)
				}
				b = b[:length]
				_, err = io.ReadFull(r, b)
			}
			if err != nil {
				return fmt.Errorf("spill: %w", err)
			}
			if err := f(b); err != nil {
				return err
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

func (s *spill) close() {
	if s.file != nil {
		_ = s.file.Close()
		_ = os.Remove(s.file.Name())
		s.file = nil
	}
}
