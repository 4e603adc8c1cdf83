package main

import (
	"bytes"
	"fmt"
	"net/http"
	"path/filepath"
	"testing"
)

// TestRepeatsOutliveKills asks a question and a part of it a hundred times each, under one key each and under none,
// while the server is killed now and then: the same bytes, and one charge.
func TestRepeatsOutliveKills(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	p := spawn(t, data)
	defer func() { p.kill() }()
	p.partners()
	p.register("kr_edu.people", fmt.Sprintf(smallDeclaration, "kr_edu/person"), "text/csv", smallTable(300), "1000", "1e-6")
	p.project("kr_edu.people")
	whole := ask("SELECT grp, COUNT(*) AS n, AVG(score) AS score FROM kr_edu.people GROUP BY grp", "0.5", "0")
	part := ask("SELECT AVG(score) AS s, grp AS g FROM kr_edu.people AS p GROUP BY grp HAVING COUNT(*) > -1000000 ORDER BY s LIMIT 1", "0.1", "0")
	asked := []struct {
		question question
		headers  []string
	}{{whole, []string{"Idempotency-Key", "whole"}}, {part, []string{"Idempotency-Key", "part"}}, {whole, nil}, {part, nil}}
	first := make([][]byte, len(asked))
	for round := range 100 {
		if round%20 == 10 {
			p.kill()
			p = spawn(t, data)
		}
		for i, a := range asked {
			got := p.do("POST", "/v1/queries", p.researcher(), a.question, a.headers...)
			if first[i] == nil {
				first[i] = got.body
			}
			if got.status != http.StatusOK || !bytes.Equal(got.body, first[i]) {
				t.Fatalf("round %d, question %d: %v\nwas first %s", round, i, got, first[i])
			}
		}
	}
	if bytes.Equal(first[0], first[2]) || !bytes.Equal(first[1], first[3]) {
		t.Errorf("%s\n%s\n%s\n%s", first[0], first[2], first[1], first[3])
	}
	// What has a key is told again without an entry.
	if report := p.verify(); report.Kinds["charge"] != 1 || report.Kinds["release"] != 1 || report.Kinds["repeat"] != 201 {
		t.Errorf("the log holds %v", report.Kinds)
	}
}
