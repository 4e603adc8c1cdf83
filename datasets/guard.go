package datasets

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/apache/arrow/go/v17/arrow/memory"
)

// Third-party readers meet files that somebody may have crafted. guard stands around them: it stops
// them where they read after cancellation, or ask for more memory than allowed, turns their panics
// into errors, and replaces whatever they say, which may quote cells, by a constant sentence.
// What it cannot stop, a loop that neither reads nor allocates or a fault in assembly, needs a
// process of its own around Ingest.
type guard struct {
	ctx    context.Context
	format Format
	data   io.ReaderAt
	size   int64
	limit  int64 // bytes outstanding
	held   atomic.Int64
	stop   atomic.Pointer[error] // why the reader was stopped; first one wins
}

var _ memory.Allocator = (*guard)(nil)

func newGuard(ctx context.Context, in Upload, limit int64) *guard {
	return &guard{ctx: ctx, format: in.Format, data: in.Data, size: in.Size, limit: limit}
}

// run calls f and makes its outcome presentable. Errors made here, and those that wrap this
// package's sentinels, pass; every other one becomes ErrMalformed.
func (g *guard) run(f func() error) (err error) {
	defer func() {
		if recover() != nil {
			err = g.verdict(errors.New("panic"))
		}
	}()
	return g.verdict(f())
}

func (g *guard) verdict(err error) error {
	if why := g.stop.Load(); why != nil && err != nil {
		return *why
	}
	switch {
	case err == nil, errors.Is(err, errEnd):
		return err
	case g.ctx.Err() != nil:
		return g.ctx.Err()
	}
	var known *ownError
	if errors.As(err, &known) {
		return known.error
	}
	return fmt.Errorf("%w: the file cannot be read as %s; it is damaged, cut short, or of another format", ErrMalformed, g.format)
}

// ownError marks an error whose message quotes no cell and may leave run.
type ownError struct{ error }

func (e *ownError) Unwrap() error { return e.error }

func own(err error) error {
	if err == nil {
		return nil
	}
	return &ownError{err}
}

func refuse(sentinel error, format string, args ...any) error {
	return own(fmt.Errorf("%w: %w", sentinel, fmt.Errorf(format, args...)))
}

// halt records why the reader must end, and ends it where it stands.
func (g *guard) halt(err error) {
	g.stop.CompareAndSwap(nil, &err)
	panic(err)
}

// ReadAt reads the upload unless the context is done. A failure of the medium is kept apart from a
// file that is too short.
func (g *guard) ReadAt(p []byte, at int64) (int, error) {
	if err := g.ctx.Err(); err != nil {
		return 0, err
	}
	if at < 0 || at > g.size {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := g.data.ReadAt(p[:min(int64(len(p)), g.size-at)], at)
	switch {
	case n == len(p):
		err = nil // a ReaderAt may say EOF with the last byte; Arrow's buffers expect it after
	case err == nil:
		err = io.EOF
	}
	if err != nil && !errors.Is(err, io.EOF) {
		failed := fmt.Errorf("read upload: %w", err)
		g.stop.CompareAndSwap(nil, &failed)
	}
	return n, err
}

// section returns the whole upload as a reader.
func (g *guard) section() *io.SectionReader { return io.NewSectionReader(g, 0, g.size) }

// Allocate implements memory.Allocator.
func (g *guard) Allocate(size int) []byte {
	g.account(int64(size))
	return memory.DefaultAllocator.Allocate(size)
}

// Reallocate implements memory.Allocator.
func (g *guard) Reallocate(size int, b []byte) []byte {
	g.account(int64(size) - int64(len(b)))
	return memory.DefaultAllocator.Reallocate(size, b)
}

// Free implements memory.Allocator.
func (g *guard) Free(b []byte) {
	g.held.Add(-int64(len(b)))
	memory.DefaultAllocator.Free(b)
}

func (g *guard) account(more int64) {
	if g.ctx.Err() != nil {
		g.halt(g.ctx.Err())
	}
	if g.held.Add(more) > g.limit {
		g.halt(fmt.Errorf("%w: one batch of its rows needs more than %d bytes to decode; write smaller row groups or record batches",
			ErrTooLarge, g.limit))
	}
}
