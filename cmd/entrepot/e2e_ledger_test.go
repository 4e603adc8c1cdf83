package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"entrepot/privacy/ledger"
)

// smallTable is a table of people with a score, one row each.
func smallTable(rows int) []byte {
	var b strings.Builder
	b.WriteString("person,grp,score\n")
	for i := range rows {
		fmt.Fprintf(&b, "p%d,%c,%d\n", i, 'a'+rune(i%3), i%101)
	}
	return []byte(b.String())
}

const smallDeclaration = `
unit_space: %s
max_rows_per_unit: 1
columns:
  - {name: person, type: string, role: privacy_id}
  - {name: grp, type: string, role: key, domain: [a, b, c]}
  - {name: score, type: int64, role: measure, lower: 0, upper: 100}
`

// TestParallelCharges: 64 questions at once where the account has room for k. Exactly k are answered and
// the sums agree to the integer.
func TestParallelCharges(t *testing.T) {
	rounds := 100
	if soak() {
		rounds = 1000
	}
	s := start(t)
	s.partners()
	researcher := s.researcher()
	for round := range rounds {
		room := 1 + round%20
		id, space := fmt.Sprintf("kr_edu.people_%d", round), fmt.Sprintf("kr_edu/space_%d", round)
		// Pure accounts: only Σε admits, so that the room is exact.
		s.must("PUT", "/v1/datasets/"+strings.Replace(id, ".", "/", 1), s.owner("kr_edu"), fmt.Sprintf(smallDeclaration, space), "Content-Type", "application/yaml")
		s.must("POST", "/v1/datasets/"+strings.Replace(id, ".", "/", 1)+"/versions", s.owner("kr_edu"), smallTable(30), "Content-Type", "text/csv")
		s.must("PUT", "/v1/datasets/"+strings.Replace(id, ".", "/", 1)+"/policy", s.owner("kr_edu"), research)
		s.must("PUT", "/v1/accounts/"+space, s.owner("kr_edu"), map[string]string{"kind": "pure", "epsilon": fmt.Sprintf("0.%02d05", room), "delta": "0"})
		s.project(id)

		q := ask("SELECT COUNT(*) AS n FROM "+id, "0.01", "0").with("fresh", true)
		statuses := make([]int, 64)
		var all sync.WaitGroup
		for i := range statuses {
			all.Go(func() { statuses[i] = s.do("POST", "/v1/queries", researcher, q).status })
		}
		all.Wait()
		answered := 0
		for _, status := range statuses {
			switch status {
			case http.StatusOK:
				answered++
			case http.StatusConflict:
			default:
				t.Fatalf("round %d: status %d", round, status)
			}
		}
		if answered != room {
			t.Fatalf("round %d: %d answered, room for %d", round, answered, room)
		}
		if spent := s.account(space).Spent.Epsilon; int64(spent) != int64(room)*1e10 {
			t.Fatalf("round %d: spent %s after %d answers of 0.01", round, spent, room)
		}
	}
	report := s.verify()
	if len(report.Unanswered) != 0 {
		t.Errorf("unanswered: %v", report.Unanswered)
	}
}

// account reads one account through REST.
func (s *server) account(id string) ledger.Account {
	s.Helper()
	var list struct {
		Accounts []ledger.Account `json:"accounts"`
	}
	if err := json.Unmarshal(s.must("GET", "/v1/accounts", s.manager(), nil), &list); err != nil {
		s.Fatal(err)
	}
	for _, a := range list.Accounts {
		if a.ID == id {
			return a
		}
	}
	s.Fatalf("no account %s", id)
	return ledger.Account{}
}
