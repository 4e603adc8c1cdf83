package engine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// Errors of the engine. All of them, and whatever they wrap, are for the operator.
var (
	// ErrOptions is returned by Open: correct the configuration.
	ErrOptions = errors.New("engine options")
	// ErrPlan is returned for a plan that has no SQL, or too much of it: then a *query.Error is with it, which
	// who asked may read. It depends on the plan and the declarations alone, and Check finds it: refuse the
	// question before it is charged.
	ErrPlan = errors.New("the plan cannot be run")
	// ErrFile is returned for a file outside the engine's folder or not in the declaration's canonical
	// form. No question on this version can be answered: register it again.
	ErrFile = errors.New("not a canonical file of this dataset")
	// ErrCapacity is returned when a question has more groups than Options.MaxGroups.
	ErrCapacity = errors.New("more groups than the engine is set up for")
	// ErrClosed is returned after Close.
	ErrClosed = errors.New("the engine is closed")
)

// Options configure an engine. They are its capacity class: fixed by the operator, never derived
// from rows.
type Options struct {
	Dir         string        // folder of the canonical Parquet files; the only one it may read
	TempDir     string        // folder to spill to when memory is short, a part of it for each question; "" for none
	MemoryLimit int64         // of DuckDB, soft; each question that may run has an equal share [bytes]; 0 means 4 GiB
	Threads     int           // of DuckDB, for a question alone; one that joins n others has 1/2^n of them, at least one; 0 means one for each processor
	Questions   int           // questions run at a time, others wait; 0 means 4
	Timeout     time.Duration // deadline of one Check or Collect, waiting included; 0 means 30 s
	MaxGroups   int64         // groups of one question without a public domain; 0 means 2^20
}

// complete fills defaults in and refuses what cannot work.
func (o Options) complete() (Options, error) {
	if o.MemoryLimit < 0 || o.Threads < 0 || o.Questions < 0 || o.Timeout < 0 || o.MaxGroups < 0 {
		return o, fmt.Errorf("%w: a limit is negative", ErrOptions)
	}
	if o.MemoryLimit == 0 {
		o.MemoryLimit = 4 << 30
	}
	if o.Threads == 0 {
		o.Threads = runtime.NumCPU()
	}
	if o.Questions == 0 {
		o.Questions = 4
	}
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	if o.MaxGroups == 0 {
		o.MaxGroups = 1 << 20
	}
	var err error
	if o.Dir, err = folder(o.Dir); err != nil {
		return o, err
	}
	if o.TempDir != "" {
		o.TempDir, err = folder(o.TempDir)
	}
	return o, err
}

// share returns the options of the i-th database.
func (o Options) share(i int) (Options, error) {
	o.MemoryLimit /= int64(o.Questions)
	o.Threads = max(1, o.Threads>>min(i, 62)) // together fewer than twice the option and one for each question
	if o.TempDir == "" {
		return o, nil
	}
	o.TempDir = filepath.Join(o.TempDir, strconv.Itoa(i)) // names of spilled blocks are unique within one database only
	if err := os.MkdirAll(o.TempDir, 0o700); err != nil {
		return o, fmt.Errorf("%w: %w", ErrOptions, err)
	}
	return o, nil
}

// folder returns dir as an absolute path without symbolic links, since the database compares paths
// as text.
func folder(dir string) (string, error) {
	if dir == "" {
		return "", fmt.Errorf("%w: no folder given", ErrOptions)
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrOptions, err)
	}
	if abs, err = filepath.EvalSymlinks(abs); err != nil {
		return "", fmt.Errorf("%w: %w", ErrOptions, err)
	}
	info, err := os.Stat(abs)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrOptions, err)
	}
	if !info.IsDir() || strings.ContainsAny(abs, globs) {
		return "", fmt.Errorf("%w: %q is not a folder, or has one of %s in its name", ErrOptions, abs, globs)
	}
	return abs, nil
}

// globs are the characters that would make DuckDB read a path as a pattern, and NUL.
const globs = "*?[]{}\x00"
