package main

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the test binary be the program where it is called entrepot.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"entrepot": main})
}

// TestScripts runs the program as its users do. Besides the commands of testscript there are
//
//	exits CODE COMMAND …      the command ends with this exit code
//	waitfile FILE [VARIABLE]  waits until the file is there; its first line becomes the variable
//	flipbyte FILE OFFSET      alters one bit of a file
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits": exits, "waitfile": waitFile, "flipbyte": flipByte,
		},
	})
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND …")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	err = ts.Exec(args[1], args[2:]...)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func waitFile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: waitfile FILE [VARIABLE]")
	}
	const patience = 60 * time.Second // another process is starting, perhaps under -race
	for begun := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		text, err := os.ReadFile(ts.MkAbs(args[0]))
		if err == nil {
			if len(args) == 2 {
				line, _, _ := strings.Cut(string(text), "\n")
				ts.Setenv(args[1], line)
			}
			return
		}
		if time.Since(begun) > patience {
			ts.Fatalf("%s did not appear: %v", args[0], err)
		}
	}
}

func flipByte(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: flipbyte FILE OFFSET")
	}
	offset, err := strconv.Atoi(args[1])
	ts.Check(err)
	content := []byte(ts.ReadFile(args[0]))
	if offset >= len(content) {
		ts.Fatalf("%s has %d bytes", args[0], len(content))
	}
	content[offset] ^= 1
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), content, 0o600))
}
