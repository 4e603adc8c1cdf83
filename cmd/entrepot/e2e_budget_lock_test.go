package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var lockQuestion = ask("SELECT grp, COUNT(*) AS n FROM kr_edu.people GROUP BY grp", "0.001", "0")

// TestSecondServer: a data folder has one server. Another refuses to start, says why, and changes nothing; when the
// first was killed, it starts.
func TestSecondServer(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	first := spawn(t, data)
	defer func() { first.kill() }()
	first.partners()
	first.register("kr_edu.people", fmt.Sprintf(smallDeclaration, "kr_edu/person"), "text/csv", smallTable(60), "1", "1e-6")
	first.project("kr_edu.people")
	a := first.answer(lockQuestion)
	before := folderContent(t, data)
	for range 3 {
		second := run(t, "", "serve", "--data", data, "--addr", "127.0.0.1:0")
		second.want(t, exitFailed, "!Listening")
		second.wantErr(t, "another process has this store open", data)
	}
	if after := folderContent(t, data); !slices.Equal(after, before) {
		t.Errorf("the refused server changed the folder:\n%v\n%v", before, after)
	}
	if again := first.answer(lockQuestion); !again.Repeat || again.ID != a.ID {
		t.Errorf("the first server does not go on: %+v", again)
	}
	first.kill()
	first = spawn(t, data)
	if again := first.answer(lockQuestion); !again.Repeat || again.ID != a.ID {
		t.Errorf("after the first was killed: %+v", again)
	}
}

// folderContent is every file's name, size and content, but for SQLite's index of its log, which is memory.
func folderContent(t *testing.T, folder string) []string {
	t.Helper()
	var list []string
	err := filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, "-shm") {
			return err
		}
		b, err := os.ReadFile(path)
		list = append(list, fmt.Sprintf("%s %d %x", path, len(b), sha256.Sum256(b)))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}
