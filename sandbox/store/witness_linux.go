package store

import (
	"os"
	"syscall"
)

// syncData makes what was written in place durable; the time of the write may be lost.
func syncData(f *os.File) error {
	for {
		err := syscall.Fdatasync(int(f.Fd()))
		if err != syscall.EINTR { //nolint:errorlint // a bare number
			return err
		}
	}
}
