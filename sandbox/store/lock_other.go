//go:build !unix

package store

import (
	"errors"
	"os"
)

// ErrLocked means that another process serves this database.
var ErrLocked = errors.New("another process has this store open")

// lock cannot keep a second process out here, so no store opens.
func lock(string) (*os.File, error) {
	return nil, errors.New("the embedded store runs on Unix systems only")
}
