//go:build linux && amd64

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// tracedServer is a server under the tracer.
type tracedServer struct {
	*process
	tracing
	tracer *exec.Cmd
	pid    *os.Process
}

// spawnTraced starts a server under a tracer that counts from here on. It skips the test where tracing is not permitted.
func (f *faultRun) spawnTraced(data string, call int, action string) *tracedServer {
	self, err := os.Executable()
	if err != nil {
		f.Fatal(err)
	}
	own := f.TempDir()
	binary, urlFile := filepath.Join(own, "entrepot"), filepath.Join(own, "url")
	if err := os.Symlink(self, binary); err != nil {
		f.Fatal(err)
	}
	p := &tracedServer{process: &process{server: &server{TB: f.T, log: &bytes.Buffer{}}}, tracing: tracing{
		Command: []string{binary, "serve", "--data", data, "--addr", "127.0.0.1:0", "--url-file", urlFile, "--rate", "1e6", "--burst", "1000000"},
		Log:     filepath.Join(own, "log"), Under: data, Point: call, Action: action, Report: filepath.Join(own, "report")}}
	told, err := json.Marshal(p.tracing)
	if err != nil {
		f.Fatal(err)
	}
	p.tracer = exec.Command(self, "-test.run=^TestTracerProcess$")
	p.tracer.Env = append(os.Environ(), tracerVariable+"="+string(told))
	p.tracer.Stderr = p.log
	in, err := p.tracer.StdinPipe()
	if err != nil {
		f.Fatal(err)
	}
	out, err := p.tracer.StdoutPipe()
	if err != nil {
		f.Fatal(err)
	}
	if err := p.tracer.Start(); err != nil {
		f.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	var pid int
	if !lines.Scan() {
		f.Fatalf("the tracer did not start: %s", p.log)
	}
	if _, err := fmt.Sscanf(lines.Text(), "pid %d", &pid); err != nil {
		f.Fatalf("%q: %v", lines.Text(), err)
	}
	if p.pid, err = os.FindProcess(pid); err != nil {
		f.Fatal(err)
	}
	p.await(data, urlFile)
	if _, err := in.Write([]byte("\n")); err != nil {
		f.Fatal(err)
	}
	if lines.Scan(); strings.HasPrefix(lines.Text(), "error:") && strings.Contains(lines.Text(), "not permitted") {
		f.Skipf("skipped: no process may be traced here: %s", lines.Text())
	} else if lines.Text() != "attached" {
		f.Fatalf("the tracer says %q: %s", lines.Text(), p.log)
	}
	return p
}

// await waits until the server listens.
func (p *tracedServer) await(data, urlFile string) {
	p.Helper()
	for begun := time.Now(); time.Since(begun) < 60*time.Second; time.Sleep(5 * time.Millisecond) {
		url, err := os.ReadFile(urlFile)
		if err != nil || len(url) == 0 {
			continue
		}
		p.url = string(bytes.TrimSpace(url))
		if p.keys, err = readKeyring(filepath.Join(data, keysDir)); err != nil {
			p.Fatal(err)
		}
		return
	}
	p.kill()
	text, _ := os.ReadFile(p.Log)
	p.Fatalf("the server did not start: %s", text)
}

// kill ends the server, not its tracer.
func (p *tracedServer) kill() { _ = p.pid.Kill() }

// finish waits for the tracer's report.
func (p *tracedServer) finish() (saw traced) {
	p.Helper()
	if err := p.tracer.Wait(); err != nil {
		p.Fatalf("the tracer: %v %s", err, p.log)
	}
	b, err := os.ReadFile(p.Report)
	if err == nil {
		err = json.Unmarshal(b, &saw)
	}
	if err != nil {
		p.Fatal(err)
	}
	if text, err := os.ReadFile(p.Log); err == nil {
		p.log.Write(text)
	}
	return saw
}
