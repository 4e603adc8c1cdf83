//go:build linux && amd64

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What is done to the system call that is chosen.
const (
	justCount  = ""      // nothing
	failOnce   = "eio"   // it does nothing and returns EIO
	killBefore = "kill"  // the process is killed before it
	powerCut   = "power" // likewise, and what was written since the last sync of its file is undone
)

// tracing is what a tracer process is told.
type tracing struct {
	Command []string // the server
	Log     string   // file of its standard error
	Under   string   // folder whose files count
	Point   int      // the call that is chosen, from 1, counted over all threads from the moment of attaching
	Action  string
	Report  string // file that the tracer writes at the end
}

// traced is what it saw.
type traced struct {
	Calls []sysCall // those that can change something that lasts or is seen outside
	Hit   bool      // the chosen one was reached
}

// sysCall is one system call: its name, and the file, "socket" or "log" that it concerns.
type sysCall struct{ Name, Target string }

const tracerVariable = "ENTREPOT_TEST_TRACER"

// TestTracerProcess is not a test: it is the process that runs a server under ptrace, for TestFaults.
//
// strace could inject the same faults, but counts them for each thread, and a Go program's calls come from
// whichever thread is free. So "the third write" would be several, or none.
func TestTracerProcess(t *testing.T) {
	told := os.Getenv(tracerVariable)
	if told == "" {
		t.SkipNow()
	}
	runtime.LockOSThread() // a tracee belongs to a thread
	var how tracing
	if err := json.Unmarshal([]byte(told), &how); err != nil {
		t.Fatal(err)
	}
	if err := trace(how); err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	os.Exit(0) // without the test's own PASS
}

// trace starts the server, attaches when a line arrives on standard input, and returns when the server is dead.
func trace(how tracing) error {
	logFile, err := os.OpenFile(how.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	server, err := os.StartProcess(how.Command[0], how.Command, &os.ProcAttr{Env: withoutTracer(), Files: []*os.File{nil, nil, logFile}})
	if err != nil {
		return err
	}
	fmt.Println("pid", server.Pid)
	if _, err := io.ReadFull(os.Stdin, make([]byte, 1)); err != nil {
		_ = server.Kill()
		return err
	}
	tr := tracer{tracing: how, pid: server.Pid, inside: map[int]*entered{}}
	if err := tr.attach(); err != nil {
		_ = server.Kill()
		return err
	}
	fmt.Println("attached")
	if err := tr.follow(); err != nil {
		_ = server.Kill()
		return err
	}
	b, err := json.Marshal(tr.saw)
	if err != nil {
		return err
	}
	return os.WriteFile(how.Report, b, 0o600)
}

func withoutTracer() []string {
	return slices.DeleteFunc(os.Environ(), func(s string) bool { return strings.HasPrefix(s, tracerVariable+"=") })
}

type tracer struct {
	tracing
	pid    int
	inside map[int]*entered // threads in a call that matters
	dirty  []undo           // writes since the last sync of their file, oldest first
	saw    traced
}

// entered is a call under way.
type entered struct {
	info   callInfo
	what   sysCall
	file   string // path of a file under the folder; "" for others
	to     string // of a rename
	fail   bool
	synced int // of dirty, when a sync began
}

// undo is the former content of what a write or truncation changed.
type undo struct {
	file string
	at   int64
	old  []byte
	size int64 // of the file before
}

// callInfo is the kernel's struct ptrace_syscall_info.
type callInfo struct {
	op     uint8 // 1: entering, 2: leaving
	_      [3]uint8
	arch   uint32
	ip, sp uint64
	nr     uint64 // on leaving: the result
	args   [6]uint64
	_      [2]uint64
}

const getSyscallInfo = 0x420e

func syscallInfo(tid int) (info callInfo, err error) {
	_, _, e := unix.Syscall6(unix.SYS_PTRACE, getSyscallInfo, uintptr(tid), unsafe.Sizeof(info), uintptr(unsafe.Pointer(&info)), 0, 0)
	if e != 0 {
		return info, e
	}
	return info, nil
}

// attach takes every thread; those that they make later come by themselves.
func (tr *tracer) attach() error {
	taken := map[int]bool{}
	for {
		tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", tr.pid))
		if err != nil {
			return err
		}
		before := len(taken)
		for _, task := range tasks {
			tid, err := strconv.Atoi(task.Name())
			if err != nil || taken[tid] {
				continue
			}
			taken[tid] = true
			if err := tr.seize(tid); err != nil && !errors.Is(err, unix.ESRCH) && !errors.Is(err, unix.EPERM) {
				return fmt.Errorf("attach to thread %d: %w", tid, err)
			} else if errors.Is(err, unix.EPERM) && before == 0 && len(taken) == 1 {
				return fmt.Errorf("attach: %w", err)
			} // EPERM later: a thread that is ours already, or is ending
		}
		if len(taken) == before {
			return nil
		}
	}
}

func (tr *tracer) seize(tid int) error {
	if err := unix.PtraceSeize(tid); err != nil {
		return err
	}
	if err := unix.PtraceInterrupt(tid); err != nil {
		return err
	}
	var status unix.WaitStatus
	if _, err := unix.Wait4(tid, &status, unix.WALL, nil); err != nil {
		return err
	}
	if err := unix.PtraceSetOptions(tid, unix.PTRACE_O_TRACESYSGOOD|unix.PTRACE_O_TRACECLONE|unix.PTRACE_O_EXITKILL); err != nil {
		return err
	}
	signal := 0
	if status.TrapCause() <= 0 { // it stopped for a signal of its own
		signal = int(status.StopSignal())
	}
	return unix.PtraceSyscall(tid, signal)
}

// follow runs the server to its end.
func (tr *tracer) follow() error {
	for {
		var status unix.WaitStatus
		tid, err := unix.Wait4(-1, &status, unix.WALL, nil)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.ECHILD):
			return tr.undoAll()
		case err != nil:
			return err
		case !status.Stopped():
			delete(tr.inside, tid)
			continue
		}
		signal := 0
		switch {
		case status.StopSignal() == unix.SIGTRAP|0x80:
			if err := tr.stop(tid); err != nil && !errors.Is(err, unix.ESRCH) {
				return err
			}
		case uint32(status)>>16 == 0: // a signal on its way
			signal = int(status.StopSignal())
		}
		if err := unix.PtraceSyscall(tid, signal); err != nil && !errors.Is(err, unix.ESRCH) {
			return err
		}
	}
}

// stop looks at a thread that enters or leaves a call.
func (tr *tracer) stop(tid int) error {
	info, err := syscallInfo(tid)
	if err != nil {
		return err
	}
	if info.op == 2 {
		e := tr.inside[tid]
		delete(tr.inside, tid)
		if e == nil {
			return nil
		}
		return tr.leave(tid, e, int64(info.nr))
	}
	e := tr.examine(info)
	if e == nil {
		return nil
	}
	tr.saw.Calls = append(tr.saw.Calls, e.what)
	tr.inside[tid] = e
	if len(tr.saw.Calls) != tr.Point {
		tr.remember(e)
		return nil
	}
	tr.saw.Hit = true
	switch tr.Action {
	case failOnce:
		e.fail = true
		return setRegisters(tid, func(r *unix.PtraceRegs) { r.Orig_rax = ^uint64(0) }) // no such call: nothing happens
	case killBefore, powerCut:
		return unix.Kill(tr.pid, unix.SIGKILL)
	}
	tr.remember(e)
	return nil
}

func (tr *tracer) leave(tid int, e *entered, result int64) error {
	if e.fail {
		return setRegisters(tid, func(r *unix.PtraceRegs) { r.Rax = ^uint64(unix.EIO) + 1 })
	}
	if result < 0 {
		return nil
	}
	switch e.what.Name {
	case "fsync", "fdatasync":
		old, late := tr.dirty[:e.synced], tr.dirty[e.synced:]
		old = slices.DeleteFunc(slices.Clone(old), func(u undo) bool { return u.file == e.file })
		tr.dirty = append(old, late...)
	case "rename", "renameat", "renameat2":
		for i := range tr.dirty {
			if tr.dirty[i].file == e.file {
				tr.dirty[i].file = e.to
			}
		}
	}
	return nil
}

func setRegisters(tid int, change func(*unix.PtraceRegs)) error {
	var r unix.PtraceRegs
	if err := unix.PtraceGetRegs(tid, &r); err != nil {
		return err
	}
	change(&r)
	return unix.PtraceSetRegs(tid, &r)
}
