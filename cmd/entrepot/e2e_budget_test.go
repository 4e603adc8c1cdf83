package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"

	"entrepot/access"
	"entrepot/privacy"
	"entrepot/sandbox"
)

// budgetRounds is how often the tests below ask 64 questions at once.
func budgetRounds() int {
	if soak() {
		return 1000
	}
	return 10
}

// onServers runs rounds on new servers, fifty on each: a question reads all accounts and datasets that there are.
// Each server's log is verified at the end.
func onServers(t *testing.T, rounds int, run func(s *server, round int)) {
	for first := 0; first < rounds && !t.Failed(); first += 50 {
		t.Run(fmt.Sprint(first), func(t *testing.T) {
			s := start(t)
			s.partners()
			for round := first; round < min(first+50, rounds); round++ {
				run(s, round)
			}
			if report := s.verify(); len(report.Unanswered) != 0 {
				t.Errorf("unanswered: %v", report.Unanswered)
			}
		})
	}
}

// roomFor is a lifetime with room for n questions of ε = 0.01, and half of one more.
func roomFor(n int) string { return (privacy.Epsilon(n)*1e10 + 5e9).String() }

// people registers a table of thirty people of a space with a pure account.
func (s *server) people(id, space, epsilon string) {
	s.Helper()
	org, name, _ := strings.Cut(id, ".")
	path := "/v1/datasets/" + org + "/" + name
	s.must("PUT", path, s.owner(org), fmt.Sprintf(smallDeclaration, space), "Content-Type", "application/yaml")
	s.must("POST", path+"/versions", s.owner(org), smallTable(30), "Content-Type", "text/csv")
	s.must("PUT", path+"/policy", s.owner(org), research)
	s.must("PUT", "/v1/accounts/"+space, s.owner(org), map[string]string{"kind": "pure", "epsilon": epsilon, "delta": "0"})
}

// burst asks q 64 times at once, in turn by each of the askers, and returns how often each was answered. Who had to
// wait too long for a turn, uncharged, asks again.
func (s *server) burst(q question, tokens ...string) []int {
	s.Helper()
	replies := make([]reply, 64)
	var all sync.WaitGroup
	for i := range replies {
		all.Go(func() {
			for tries := 0; tries == 0 || replies[i].status == http.StatusServiceUnavailable && tries < 10; tries++ {
				replies[i] = s.do("POST", "/v1/queries", tokens[i%len(tokens)], q)
			}
		})
	}
	all.Wait()
	answered := make([]int, len(tokens))
	for i, r := range replies {
		switch r.status {
		case http.StatusOK:
			answered[i%len(tokens)]++
		case http.StatusConflict: // the budget does not cover it
		default:
			s.Fatal(r)
		}
	}
	return answered
}

// spent fails the test unless an account was charged n times.
func (s *server) spent(space string, n int) {
	s.Helper()
	if spent := s.account(space).Spent.Epsilon; spent != privacy.Epsilon(n)*1e10 {
		s.Fatalf("ε = %s of %s is spent after %d answers of 0.01", spent, space, n)
	}
}

// TestParallelTwoAccounts: 64 questions at once that charge two accounts, one with less room. As many are answered
// as the smaller has room for, and both are charged for those and no others; then the rest of the larger is there.
func TestParallelTwoAccounts(t *testing.T) { onServers(t, budgetRounds(), (*server).twoAccounts) }

func (s *server) twoAccounts(round int) {
	s.Helper()
	a, b := fmt.Sprintf("kr_edu.people_%d", round), fmt.Sprintf("uk_ou.people_%d", round)
	spaceA, spaceB := fmt.Sprintf("kr_edu/space_%d", round), fmt.Sprintf("uk_ou/space_%d", round)
	roomA, roomB := 1+rand.IntN(30), 1+rand.IntN(30)
	s.people(a, spaceA, roomFor(roomA))
	s.people(b, spaceB, roomFor(roomB))
	s.project(a, b)
	both := ask("SELECT COUNT(*) AS n FROM (SELECT grp FROM "+a+" UNION ALL SELECT grp FROM "+b+") AS people", "0.01", "0").with("fresh", true)
	common := min(roomA, roomB)
	if answered := s.burst(both, s.researcher())[0]; answered != common {
		s.Fatalf("round %d: %d answered, room for %d and %d", round, answered, roomA, roomB)
	}
	s.spent(spaceA, common)
	s.spent(spaceB, common)
	larger, space, rest := a, spaceA, roomA-common
	if roomB > roomA {
		larger, space, rest = b, spaceB, roomB-common
	}
	if answered := s.burst(ask("SELECT COUNT(*) AS n FROM "+larger, "0.01", "0").with("fresh", true), s.researcher())[0]; answered != rest {
		s.Fatalf("round %d: then %d answered, room for %d", round, answered, rest)
	}
	s.spent(space, common+rest)
}

// TestParallelAllocations: 64 questions at once by two researchers of a lab that has an allocation, under which one of
// them has another, smaller one. Both caps and the account hold to the integer.
func TestParallelAllocations(t *testing.T) { onServers(t, budgetRounds(), (*server).allocations) }

func (s *server) allocations(round int) {
	s.Helper()
	id, space := fmt.Sprintf("kr_edu.people_%d", round), fmt.Sprintf("kr_edu/space_%d", round)
	ofLab, ofMina, room := 1+rand.IntN(64), rand.IntN(20), 1+rand.IntN(80)
	s.people(id, space, roomFor(room))
	s.project(id)
	s.allocate(space, "lab", map[string]string{"organisation": "sg_lab"}, ofLab)
	s.allocate(space, "mina", map[string]string{"researcher": "sg_lab/mina", "project": "study"}, ofMina)
	s.allocate(space, "others", map[string]string{"organisation": "uk_ou"}, 0) // covers neither
	mina, jun := s.researcher(), s.token("sg_lab", "jun", access.Researcher)
	answered := s.burst(ask("SELECT COUNT(*) AS n FROM "+id, "0.01", "0").with("fresh", true), mina, jun)
	total := answered[0] + answered[1]
	if want := min(room, ofLab, ofMina+32); total != want || answered[0] > ofMina {
		s.Fatalf("round %d: %d answered, want %d, of which at most %d Mina's", round, answered, want, ofMina)
	}
	s.spent(space, total)
	spent := s.allocated(space)
	for name, n := range map[string]int{"lab": total, "mina": answered[0], "others": 0} {
		if spent[name] != privacy.Epsilon(n)*1e10 {
			s.Fatalf("round %d: ε = %s of allocation %s is spent, want %d answers", round, spent[name], name, n)
		}
	}
}

// allocate makes an allocation with room for n questions and a half.
func (s *server) allocate(space, name string, scope map[string]string, n int) {
	s.Helper()
	s.must("PUT", "/v1/accounts/"+space+"/allocations/"+name, s.owner("kr_edu"), map[string]any{
		"scope": scope, "caps": map[string]string{"epsilon": roomFor(n)}, "reason": "a share for " + name})
}

// allocated is what was spent of each allocation under an account.
func (s *server) allocated(space string) map[string]privacy.Epsilon {
	s.Helper()
	var account struct {
		Allocations []struct {
			Name  string         `json:"name"`
			Spent privacy.Clocks `json:"spent"`
		} `json:"allocations"`
	}
	if err := json.Unmarshal(s.must("GET", "/v1/accounts/"+space, s.owner("kr_edu"), nil), &account); err != nil {
		s.Fatal(err)
	}
	spent := map[string]privacy.Epsilon{}
	for _, a := range account.Allocations {
		spent[a.Name] = a.Spent.Epsilon
	}
	return spent
}

// TestMembershipGameOnRealRows plays the game of package sandbox's TestMembershipGame over REST, with real rows and
// the real engine: 50 games, 2,000 in a soak. A coin decides whether one person is in a table; the attacker has an
// account of ε = 1, asks at once and again, under old keys and new ones, by two logins and of two versions, and
// guesses by the likelihood ratio of all noisy counts. It must not be right more often than e/(1+e) = 73.1 %:
// the test rejects from a number of wins on which that rate reaches with probability 1e-6.
func TestMembershipGameOnRealRows(t *testing.T) {
	games, limit := 50, 50 // P(Bin(50, 0.7311) = 50) = 1.6e-7
	if soak() {
		games, limit = 2000, 1556 // P(Bin(2000, 0.7311) ≥ 1556) = 8e-7
	}
	won := 0
	onServers(t, games, func(s *server, round int) {
		member := rand.IntN(2) == 0
		if s.guess(round, member) == member {
			won++
		}
	})
	t.Logf("%d of %d games won, %.1f %%; rejected from %d on", won, games, 100*float64(won)/float64(games), limit)
	if won >= limit {
		t.Errorf("%d of %d games won", won, games)
	}
}

// guess plays one game and returns the attacker's guess.
func (s *server) guess(game int, member bool) bool {
	s.Helper()
	const people, share = 30, 4 // others; questions that the account has room for
	id, space := fmt.Sprintf("kr_edu.game_%d", game), fmt.Sprintf("kr_edu/game_%d", game)
	rows := smallTable(people)
	if member {
		rows = append(bytes.Clone(rows), "target,a,100\n"...)
	}
	s.people(id, space, "1")
	s.must("POST", "/v1/datasets/"+strings.Replace(id, ".", "/", 1)+"/versions", s.owner("kr_edu"), rows, "Content-Type", "text/csv")
	s.project(id)
	logins := []string{s.researcher(), s.token("sg_lab", "jun", access.Researcher)}
	q := ask("SELECT COUNT(*) AS n FROM "+id, (privacy.OneEpsilon / share).String(), "0")
	heard, mu, all := map[string]float64{}, sync.Mutex{}, sync.WaitGroup{}
	hear := func(r reply) {
		if r.status == http.StatusConflict {
			return
		}
		var a sandbox.Answer
		if err := json.Unmarshal(r.body, &a); err != nil || r.status != http.StatusOK {
			s.Errorf("game %d: %v", game, r)
			return
		}
		n := number(s, a.Rows[0], "n")
		mu.Lock()
		defer mu.Unlock()
		heard[fmt.Sprint(a.ID, n)] = likelihood(n-people-1, a.Columns[0].Scale) - likelihood(n-people, a.Columns[0].Scale)
	}
	for i := range 8 {
		all.Go(func() {
			k := fmt.Sprint("game-", game, "-", i)
			for range 2 {
				hear(s.do("POST", "/v1/queries", logins[i%2], withFreshDraw(q), "Idempotency-Key", k))
			}
		})
	}
	all.Wait()
	s.must("POST", "/v1/datasets/"+strings.Replace(id, ".", "/", 1)+"/versions", s.owner("kr_edu"), rows, "Content-Type", "text/csv")
	hear(s.do("POST", "/v1/queries", logins[0], q))
	if len(heard) != share {
		s.Errorf("game %d: %d counts heard where the account has room for %d", game, len(heard), share)
	}
	sum := 0.0
	for _, ratio := range heard {
		sum += ratio
	}
	return sum > 0 || sum == 0 && rand.IntN(2) == 0
}

// withFreshDraw is a question that is to be drawn anew.
func withFreshDraw(q question) question {
	fresh := question{"fresh": true}
	for name, value := range q {
		fresh[name] = value
	}
	return fresh
}

// likelihood is the log-probability of Laplace noise k after rounding to whole numbers.
func likelihood(k, scale float64) float64 {
	if k = math.Abs(k); k < 0.5 {
		return math.Log(-math.Expm1(-0.5 / scale))
	}
	return math.Log(math.Exp(-(k-0.5)/scale)-math.Exp(-(k+0.5)/scale)) - math.Ln2
}
