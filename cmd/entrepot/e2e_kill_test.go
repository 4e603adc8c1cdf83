package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// process is a server in a process of its own, to be killed.
type process struct {
	*server
	command *exec.Cmd
}

// spawn starts `entrepot serve` on a data folder and waits until it answers.
func spawn(t *testing.T, data string) *process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// The test binary is the program when it is called by its name (TestMain).
	binary, urlFile := filepath.Join(t.TempDir(), "entrepot"), filepath.Join(t.TempDir(), "url")
	if err := os.Symlink(self, binary); err != nil {
		t.Fatal(err)
	}
	p := &process{server: &server{TB: t, log: &bytes.Buffer{}}}
	p.command = exec.Command(binary, "serve", "--data", data, "--addr", "127.0.0.1:0", "--url-file", urlFile, "--rate", "1e6", "--burst", "1000000")
	p.command.Stderr = p.log
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	for begun := time.Now(); time.Since(begun) < 30*time.Second; time.Sleep(5 * time.Millisecond) {
		if url, err := os.ReadFile(urlFile); err == nil && len(url) > 0 {
			p.url = string(bytes.TrimSpace(url))
			if p.keys, err = readKeyring(filepath.Join(data, keysDir)); err != nil {
				t.Fatal(err)
			}
			return p
		}
	}
	p.kill()
	t.Fatalf("the server did not start: %s", p.log)
	return nil
}

// kill ends the process as a power switch would.
func (p *process) kill() {
	_ = p.command.Process.Kill()
	_ = p.command.Wait()
}

// TestKill kills the server at random moments while four researchers ask. Whatever a researcher received
// is in the log with its charge; a retry under the same key gives the same bytes, or completes the question
// under the charge already made; and the exported log verifies after each restart.
func TestKill(t *testing.T) {
	kills := 30
	if soak() {
		kills = 200
	}
	data := filepath.Join(t.TempDir(), "data")
	p := spawn(t, data)
	defer func() { p.kill() }()
	p.partners()
	p.register("kr_edu.people", fmt.Sprintf(smallDeclaration, "kr_edu/person"), "text/csv", smallTable(300), "1000", "1e-6")
	p.project("kr_edu.people")
	var slowest time.Duration
	received, completed := 0, 0
	for k := range kills {
		asked := p.askUntilKilled(k, time.Duration(rand.IntN(60_000))*time.Microsecond)
		begun := time.Now()
		p = spawn(t, data)
		slowest = max(slowest, time.Since(begun))
		for key, body := range asked {
			again := p.do("POST", "/v1/queries", p.researcher(), killQuestion, "Idempotency-Key", key)
			switch {
			case again.status != http.StatusOK:
				t.Fatalf("kill %d: %s is not answered after the restart: %v", k, key, again)
			case body == nil:
				completed++
			case !bytes.Equal(body, again.body):
				t.Fatalf("kill %d: %s gave other bytes after the restart:\n%s\n%s", k, key, body, again.body)
			default:
				received++
			}
		}
		if report := p.verify(); len(report.Unanswered) != 0 {
			t.Fatalf("kill %d: unanswered after every question was completed: %v", k, report.Unanswered)
		}
	}
	report := p.verify()
	if charges, asked := report.Kinds["charge"], int64(received+completed); charges != asked {
		t.Errorf("%d charges for %d questions", charges, asked)
	}
	t.Logf("%d kills: %d answers received before, %d completed after; slowest restart %v", kills, received, completed, slowest)
	if received == 0 || completed == 0 {
		t.Error("the kills hit no question, or nothing else")
	}
	if slowest > 5*time.Second {
		t.Errorf("a restart took %v", slowest)
	}
}

var killQuestion = ask("SELECT grp, COUNT(*) AS n, AVG(score) AS score FROM kr_edu.people GROUP BY grp", "0.001", "0").with("fresh", true)

// askUntilKilled asks from four researchers' hands until the server is killed after the delay, which in every other
// round begins with the first answer: a slow machine has answered by then as well. It returns each key that was
// sent with the answer received, nil for none.
func (p *process) askUntilKilled(round int, delay time.Duration) map[string][]byte {
	asked, mu, all := map[string][]byte{}, sync.Mutex{}, sync.WaitGroup{}
	token := p.researcher()
	first := make(chan struct{})
	answered := sync.OnceFunc(func() { close(first) })
	for hand := range 4 {
		all.Go(func() {
			for n := 0; ; n++ {
				key := fmt.Sprintf("kill-%d-%d-%d", round, hand, n)
				mu.Lock()
				asked[key] = nil
				mu.Unlock()
				body, err := p.try(token, key)
				if err != nil {
					return
				}
				mu.Lock()
				asked[key] = body
				mu.Unlock()
				answered()
			}
		})
	}
	if round%2 == 1 {
		select {
		case <-first:
		case <-time.After(30 * time.Second):
		}
	}
	time.Sleep(delay) // the random moment is what is tested
	p.kill()
	all.Wait()
	return asked
}

// try asks once and returns the answer, or an error when the connection broke.
func (p *process) try(token, key string) ([]byte, error) {
	content, err := json.Marshal(killQuestion)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequest(http.MethodPost, p.url+"/v1/queries", bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Idempotency-Key", key)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		p.Errorf("%s: %d %s", key, res.StatusCode, body)
		return nil, errors.New("refused")
	}
	return body, nil
}
