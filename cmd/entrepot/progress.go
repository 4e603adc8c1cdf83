package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// progress shows on a terminal how far a transfer is; elsewhere nothing.
type progress struct {
	out   io.Writer // nil where it is no terminal
	verb  string
	total int64 // bytes; -1 where it is not known

	mu    sync.Mutex // a server may answer while a table is still being sent
	moved int64      // bytes; guarded by mu
	shown time.Time  // guarded by mu
	ended bool       // guarded by mu
}

const progressEvery = 200 * time.Millisecond

func newProgress(out io.Writer, verb string, total int64) *progress {
	p := &progress{verb: verb, total: total}
	if isTerminal(out) {
		p.out = out
	}
	return p
}

// reader counts what is read from r.
func (p *progress) reader(r io.Reader) io.Reader {
	return io.TeeReader(r, p)
}

// Write counts bytes that were moved.
func (p *progress) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.moved += int64(len(b))
	if now := time.Now(); p.out != nil && !p.ended && now.Sub(p.shown) >= progressEvery {
		p.shown = now
		fmt.Fprintf(p.out, "\r%s", p.line())
	}
	return len(b), nil
}

func (p *progress) line() string {
	if p.total < 0 {
		return pad(fmt.Sprintf("%s %s", p.verb, bytesText(p.moved)), progressCells, false)
	}
	if p.moved >= p.total {
		return pad(fmt.Sprintf("%s %s, waiting for the server", p.verb, bytesText(p.moved)), progressCells, false)
	}
	return pad(fmt.Sprintf("%s %s of %s (%d %%)", p.verb, bytesText(p.moved), bytesText(p.total), 100*p.moved/p.total), progressCells, false)
}

const progressCells = 60

// done takes the line away.
func (p *progress) done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	if p.out != nil && !p.shown.IsZero() {
		fmt.Fprintf(p.out, "\r%s\r", strings.Repeat(" ", progressCells))
	}
}
