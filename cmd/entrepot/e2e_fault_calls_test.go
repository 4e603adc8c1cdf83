//go:build linux && amd64

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// onFiles are the calls that write to a file descriptor, by the number of the argument that it is.
var onFiles = map[uint64]struct {
	name string
	fd   int
}{
	unix.SYS_WRITE: {"write", 0}, unix.SYS_PWRITE64: {"pwrite64", 0}, unix.SYS_WRITEV: {"writev", 0}, unix.SYS_PWRITEV: {"pwritev", 0},
	unix.SYS_PWRITEV2: {"pwritev2", 0}, unix.SYS_FSYNC: {"fsync", 0}, unix.SYS_FDATASYNC: {"fdatasync", 0}, unix.SYS_FTRUNCATE: {"ftruncate", 0},
	unix.SYS_FALLOCATE: {"fallocate", 0}, unix.SYS_SYNC_FILE_RANGE: {"sync_file_range", 0}, unix.SYS_SENDFILE: {"sendfile", 0},
	unix.SYS_COPY_FILE_RANGE: {"copy_file_range", 2}, unix.SYS_FCHMOD: {"fchmod", 0},
}

// onPaths are those that make, rename or remove a name: the arguments with the names, -1 for none, and with flags of opening.
var onPaths = map[uint64]struct {
	name           string
	from, to, open int
}{
	unix.SYS_OPEN: {"open", 0, -1, 1}, unix.SYS_OPENAT: {"openat", 1, -1, 2}, unix.SYS_RENAME: {"rename", 0, 1, -1}, unix.SYS_RENAMEAT: {"renameat", 1, 3, -1},
	unix.SYS_RENAMEAT2: {"renameat2", 1, 3, -1}, unix.SYS_LINK: {"link", 0, 1, -1}, unix.SYS_LINKAT: {"linkat", 1, 3, -1}, unix.SYS_UNLINK: {"unlink", 0, -1, -1},
	unix.SYS_UNLINKAT: {"unlinkat", 1, -1, -1}, unix.SYS_MKDIR: {"mkdir", 0, -1, -1}, unix.SYS_MKDIRAT: {"mkdirat", 1, -1, -1}, unix.SYS_TRUNCATE: {"truncate", 0, -1, -1},
}

// examine returns nil for a call that changes nothing that counts.
func (tr *tracer) examine(info callInfo) *entered {
	if c, ok := onFiles[info.nr]; ok {
		target, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", tr.pid, int32(info.args[c.fd])))
		if err != nil || strings.HasPrefix(target, "anon_inode:") { // the runtime wakes its own threads
			return nil
		}
		e := &entered{info: info, what: sysCall{c.name, target}, synced: len(tr.dirty)}
		switch path, inside := tr.inFolder(target); {
		case inside:
			e.what.Target, e.file = path, strings.TrimSuffix(target, " (deleted)")
		case strings.HasPrefix(target, "socket:"):
			e.what.Target = "socket"
		case target == tr.Log:
			e.what.Target = "log"
		default:
			return nil
		}
		return e
	}
	c, ok := onPaths[info.nr]
	if !ok || c.open >= 0 && info.args[c.open]&(unix.O_WRONLY|unix.O_RDWR|unix.O_CREAT|unix.O_TRUNC) == 0 {
		return nil
	}
	from := tr.text(info.args[c.from])
	path, inside := tr.inFolder(from)
	if !inside {
		return nil
	}
	e := &entered{info: info, what: sysCall{c.name, path}, file: from}
	if c.to >= 0 {
		e.to = tr.text(info.args[c.to])
	}
	return e
}

// inFolder tells whether a path counts, and how it is called in a report: without what is random in it.
func (tr *tracer) inFolder(path string) (string, bool) {
	relative, err := filepath.Rel(tr.Under, path)
	if err != nil || strings.HasPrefix(relative, "..") {
		return "", false
	}
	if folder, _, found := strings.Cut(relative, string(filepath.Separator)); found {
		return folder + "/…", true
	}
	return relative, true
}

// text reads a string of the server.
func (tr *tracer) text(at uint64) string {
	memory, err := os.Open(fmt.Sprintf("/proc/%d/mem", tr.pid))
	if err != nil {
		return ""
	}
	defer memory.Close()
	b := make([]byte, 4096)
	n, _ := memory.ReadAt(b, int64(at)) // as far as the mapping reaches
	name, _, _ := bytes.Cut(b[:n], []byte{0})
	return string(name)
}

// remember keeps what a write is about to replace.
func (tr *tracer) remember(e *entered) {
	if tr.Action != powerCut || e.file == "" {
		return
	}
	var at, n int64
	switch e.what.Name {
	case "pwrite64":
		at, n = int64(e.info.args[3]), int64(e.info.args[2])
	case "write":
		at, n = tr.position(int(e.info.args[0])), int64(e.info.args[2])
	case "ftruncate":
		at, n = int64(e.info.args[1]), 1<<40
	default:
		return
	}
	f, err := os.Open(e.file)
	if err != nil {
		return // it has no name any more
	}
	defer f.Close()
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return
	}
	old := make([]byte, max(0, min(n, end-at)))
	if _, err := f.ReadAt(old, at); err != nil && len(old) > 0 {
		return
	}
	tr.dirty = append(tr.dirty, undo{e.file, at, old, end})
}

// position is where a file descriptor stands.
func (tr *tracer) position(fd int) int64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/fdinfo/%d", tr.pid, fd))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(b))
	if len(fields) < 2 {
		return 0
	}
	n, _ := strconv.ParseInt(fields[1], 10, 64)
	return n
}

// undoAll leaves the files as a disk would that lost everything it was not told to sync. Names are kept.
func (tr *tracer) undoAll() error {
	if !tr.saw.Hit || tr.Action != powerCut {
		return nil
	}
	for _, u := range slices.Backward(tr.dirty) {
		f, err := os.OpenFile(u.file, os.O_WRONLY, 0)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		_, err = f.WriteAt(u.old, u.at)
		if err := errors.Join(err, f.Truncate(u.size), f.Close()); err != nil {
			return err
		}
	}
	return nil
}

// places counts calls by name and target, for a report.
func (s traced) places() string {
	counts := map[sysCall]int{}
	for _, c := range s.Calls {
		counts[c]++
	}
	var b strings.Builder
	for _, c := range slices.SortedFunc(maps.Keys(counts), func(a, b sysCall) int { return strings.Compare(a.Target+a.Name, b.Target+b.Name) }) {
		fmt.Fprintf(&b, "%s %s ×%d, ", c.Target, c.Name, counts[c])
	}
	return strings.TrimSuffix(b.String(), ", ")
}
