package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestTerminalWidth(t *testing.T) {
	pty, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("skipped: no pseudo-terminals here: %v", err)
	}
	defer pty.Close()
	for _, size := range []struct{ columns, want int }{{57, 57}, {0, 80}} {
		if err := unix.IoctlSetWinsize(int(pty.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: uint16(size.columns)}); err != nil {
			t.Fatal(err)
		}
		if got := terminalWidth(pty); got != size.want || !isTerminal(pty) {
			t.Errorf("a terminal of %d columns: %d", size.columns, got)
		}
	}
	file, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if terminalWidth(file) != 0 || terminalWidth(null) != 0 || terminalWidth(&bytes.Buffer{}) != 0 {
		t.Error("what is no terminal has a width")
	}
}
