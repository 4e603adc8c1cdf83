//go:build linux && amd64

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"entrepot/privacy"
	"entrepot/sandbox"
	"entrepot/sandbox/audit"
)

// TestFaults fails every system call with which the server writes, once each, from the first question on:
// once with EIO, once by killing the server before it, and once by cutting the power before it, so that what
// was not synced is lost. After each, nobody holds an answer without its durable charge, the log verifies, the
// sums are exact, and a restarted server answers every key.
//
// At CI size a sample: every kind of call on every file fails, and four are killed; in a soak all.
func TestFaults(t *testing.T) {
	f := &faultRun{T: t, template: filepath.Join(t.TempDir(), "template")}
	f.prepare()
	seen := f.baseline()
	points := f.choose(seen.Calls)
	hits, outcomes := map[string]int{}, map[string]int{}
	for _, p := range points {
		saw, statuses := f.fault(p)
		if !saw.Hit {
			continue // this run came by with fewer calls
		}
		hits[p.action]++
		for _, s := range statuses {
			outcomes[fmt.Sprint(p.action, " ", s)]++
		}
	}
	total := hits[failOnce] + hits[killBefore] + hits[powerCut]
	t.Logf("%d writing calls of a run: %s", len(seen.Calls), seen.places())
	t.Logf("%d faults hit of %d chosen: %v; what the askers got: %v", total, len(points), hits, outcomes)
	if total < len(points)*3/4 {
		t.Errorf("only %d of %d faults were reached", total, len(points))
	}
}

// faultRun is a store to start from.
type faultRun struct {
	*testing.T
	template string
	price    privacy.Epsilon // of one fresh question
	charges  int64           // in the template
}

// point is a call that is chosen, and what happens to it.
type point struct {
	call   int
	action string
}

var (
	faultQuestion = ask("SELECT grp, COUNT(*) AS n FROM kr_edu.people GROUP BY grp", "0.001", "0")
	tooExpensive  = ask("SELECT COUNT(*) AS n FROM kr_edu.people", "15", "0")
)

// prepare fills the template: a dataset, an account, a release to repeat, and a write-ahead log so long that
// the questions of a run make SQLite copy it into the database.
func (f *faultRun) prepare() {
	p := spawn(f.T, f.template)
	defer p.kill()
	p.partners()
	p.register("kr_edu.people", fmt.Sprintf(smallDeclaration, "kr_edu/person"), "text/csv", smallTable(60), "10", "1e-6")
	p.project("kr_edu.people")
	f.price = p.answer(faultQuestion).Charged[0].Epsilon
	f.charges = 1
	const pages, frame = 1000, 4096 + 24 // SQLite copies the log when it has so many pages
	for previous := int64(0); ; {
		info, err := os.Stat(filepath.Join(f.template, ledgerFile+"-wal"))
		if err != nil {
			f.Fatal(err)
		}
		grown := info.Size() - previous
		if previous > 0 && info.Size()+grown > pages*frame {
			return
		}
		previous = info.Size()
		p.answer(withFreshDraw(faultQuestion))
		f.charges++
	}
}

// copyTemplate makes a data folder for one run.
func (f *faultRun) copyTemplate() string {
	data := filepath.Join(f.TempDir(), "data")
	if out, err := exec.Command("cp", "-a", f.template, data).CombinedOutput(); err != nil {
		f.Fatalf("%v: %s", err, out)
	}
	return data
}

// baseline counts the calls of a run without a fault.
func (f *faultRun) baseline() traced {
	p := f.spawnTraced(f.copyTemplate(), 0, justCount)
	for _, r := range p.workload() {
		if r.status != http.StatusOK && r.key != "" || r.key == "" && r.status != http.StatusConflict {
			f.Fatalf("without a fault: %+v", r)
		}
	}
	p.kill()
	saw := p.finish()
	synced := 0
	for _, c := range saw.Calls {
		if c.Target == ledgerFile+"-wal" && (c.Name == "fsync" || c.Name == "fdatasync") {
			synced++
		}
	}
	if synced < 6 { // two releases at once may share theirs
		f.Errorf("%d syncs of the ledger's log for three charges, three releases and two more entries", synced)
	}
	return saw
}

// choose is all points in a soak, else a dozen or so.
func (f *faultRun) choose(calls []sysCall) []point {
	var points []point
	if soak() {
		for i := range calls {
			for _, action := range []string{failOnce, killBefore, powerCut} {
				points = append(points, point{i + 1, action})
			}
		}
		return points
	}
	places := map[sysCall]bool{}
	for i, c := range calls {
		if c.Target == "log" || c.Target == "socket" || places[c] {
			continue
		}
		places[c] = true
		points = append(points, point{i + 1, failOnce})
	}
	const kills = 2
	for _, action := range []string{killBefore, powerCut} {
		for range kills {
			points = append(points, point{1 + rand.IntN(len(calls)), action})
		}
	}
	return points
}

// outcome of one request: a body only where the status is 200; status 0 where the connection broke.
type heard struct {
	key    string // "" for the question that is too expensive
	status int
	body   []byte
}

// workload asks for a fresh release, a repeat, what the budget does not cover, and two fresh releases at once. It
// goes on after a failure, as askers do.
func (p *tracedServer) workload() []heard {
	list := []heard{
		p.ask("first", withFreshDraw(faultQuestion)), p.ask("repeat", faultQuestion), p.ask("", tooExpensive),
	}
	second := make(chan heard)
	go func() { second <- p.ask("second", withFreshDraw(faultQuestion)) }()
	return append(list, p.ask("third", withFreshDraw(faultQuestion)), <-second)
}

// ask asks once under a key.
func (p *tracedServer) ask(key string, q question) heard {
	content, err := json.Marshal(q)
	if err != nil {
		p.Error(err)
		return heard{key: key}
	}
	r, err := http.NewRequest(http.MethodPost, p.url+"/v1/queries", bytes.NewReader(content))
	if err != nil {
		p.Error(err)
		return heard{key: key}
	}
	r.Close = true // a connection of its own: the transport must not ask again by itself
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+p.researcher())
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return heard{key: key}
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return heard{key: key} // it broke in the middle
	}
	return heard{key, res.StatusCode, body}
}

// fault is one run: the workload with the fault, a restart, and the accounting.
func (f *faultRun) fault(at point) (traced, []int) {
	where := fmt.Sprintf("%s at call %d", at.action, at.call)
	data := f.copyTemplate()
	p := f.spawnTraced(data, at.call, at.action)
	answered := p.workload()
	var late heard
	if at.action == failOnce { // the disk is well again; the server may go on, or say that it cannot
		late = p.ask("late", withFreshDraw(faultQuestion))
		answered = append(answered, late)
	}
	p.kill()
	saw := p.finish()
	if saw.Hit {
		where += fmt.Sprint(" ", saw.Calls[at.call-1])
	}
	var statuses []int
	for _, r := range answered {
		statuses = append(statuses, r.status)
		f.checkReply(where, at, r)
	}
	if late.status == 0 && at.action == failOnce {
		f.Errorf("%s: the server is gone: %s", where, p.log)
	}
	f.checkRestart(where, data, answered)
	return saw, statuses
}

// checkReply holds a reply to what a server may say while something is broken: an answer, 503, or the one
// sentence after a charge.
func (f *faultRun) checkReply(where string, at point, r heard) {
	switch {
	case r.status == 0: // killed, or the socket was what failed
	case r.key == "" && r.status == http.StatusConflict, r.key != "" && r.status == http.StatusOK, r.status == http.StatusServiceUnavailable:
	case r.key != "" && r.status == http.StatusInternalServerError && bytes.Contains(r.body, []byte(`"query_failed"`)):
	default:
		f.Errorf("%s: %q was answered with %d %s", where, r.key, r.status, r.body)
	}
}

// checkRestart starts a healthy server on what is left and settles the books.
func (f *faultRun) checkRestart(where, data string, answered []heard) {
	p := spawn(f.T, data)
	defer p.kill()
	if before := p.verify().Kinds["charge"]; before < f.charges {
		f.Errorf("%s: %d charges where there were %d", where, before, f.charges)
	}
	fresh, failed := int64(0), int64(0)
	for _, r := range answered {
		if r.key == "" {
			continue
		}
		q := withFreshDraw(faultQuestion)
		if r.key == "repeat" {
			q = faultQuestion
		} else {
			fresh++
		}
		again := p.do("POST", "/v1/queries", p.researcher(), q, "Idempotency-Key", r.key)
		switch {
		case again.status == http.StatusOK && (r.status != http.StatusOK || bytes.Equal(again.body, r.body)):
		case again.status == http.StatusInternalServerError && r.status != http.StatusOK && bytes.Contains(again.body, []byte(`"query_failed"`)):
			failed++ // it ended without an answer, on the record
		default:
			f.Errorf("%s: %q gave %d %s, and after the restart %v", where, r.key, r.status, r.body, again)
		}
	}
	report := p.verify()
	if got, want := report.Kinds["charge"], f.charges+fresh; got != want {
		f.Errorf("%s: %d charges for %d questions", where, got, want)
	}
	if got := report.Kinds[audit.KindFailure]; got != failed || len(report.Unanswered) != 0 {
		f.Errorf("%s: %d failures on the record, %d heard of; unanswered: %v", where, got, failed, report.Unanswered)
	}
	if got, want := p.account("kr_edu/person").Spent.Epsilon, privacy.Epsilon(f.charges+fresh)*f.price; got != want {
		f.Errorf("%s: ε = %s is spent, want %s", where, got, want)
	}
	f.checkUnique(where, p, answered)
}

// checkUnique makes sure that no charge gave two releases and no release came without a charge.
func (f *faultRun) checkUnique(where string, p *process, answered []heard) {
	ids := map[string]bool{}
	for _, r := range answered {
		if r.status != http.StatusOK || r.key == "repeat" {
			continue
		}
		var a sandbox.Answer
		if err := json.Unmarshal(r.body, &a); err != nil {
			f.Fatal(err)
		}
		if ids[a.Query] || len(a.Charged) != 1 || a.Charged[0].Epsilon != f.price {
			f.Errorf("%s: %s was given for %+v", where, a.ID, a.Charged)
		}
		ids[a.Query] = true
	}
}
