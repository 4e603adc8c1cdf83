package sandbox_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"entrepot/access"
	"entrepot/privacy"
	"entrepot/privacy/ledger"
	"entrepot/sandbox"
	"entrepot/sandbox/audit"
	"entrepot/sandbox/query"
)

// The membership game. A coin decides whether one person is in a table of which the attacker knows everything
// else. The attacker has the account's whole lifetime ε = 1, every login and every trick of its strategy, collects
// all noisy integers, and guesses by their likelihood ratio. Under an (ε, δ) promise no attacker is right more
// often than e^ε/(1+e^ε) + δ, 73.1 %.
//
// The test rejects when as many games or more are won as would be with probability at most gameLevel at exactly
// that rate, which is the false-reject rate for a ledger that holds: 16 tests in a soak, 8e-6 in all.
const gameLevel = 5e-7

// games is how many of them are played in a test.
func games(ci int) int {
	if os.Getenv("ENTREPOT_SOAK") != "" {
		return 2000
	}
	return ci
}

// bound is the rate of the best attacker there may be, at ε = 1.
func bound(delta float64) float64 { return math.E/(1+math.E) + delta }

// Promises of the games.
var promises = map[string]sandbox.Budget{
	"pure":  {Kind: ledger.KindPure, Epsilon: privacy.OneEpsilon},
	"renyi": {Kind: ledger.KindRenyi, Epsilon: privacy.OneEpsilon, Delta: privacy.OneDelta / 1e6},
}

// TestMembershipGame plays every strategy against the real ledger, with real noise. At CI size 200 games are judged
// together; in a soak 2,000 for each kind of account and each strategy.
func TestMembershipGame(t *testing.T) {
	t.Setenv("TMPDIR", memory(t))
	names := slices.Sorted(maps.Keys(strategies))
	if n := 200; games(n) == n {
		s := play(t, promises["renyi"], names, n/2, honest)
		more := play(t, promises["pure"], names, n/2, honest)
		judge(t, score{s.won + more.won, s.heard + more.heard}, n)
		return
	}
	for kind, promise := range promises {
		for _, name := range names {
			t.Run(kind+", "+name, func(t *testing.T) { judge(t, play(t, promise, []string{name}, games(0), honest), games(0)) })
		}
	}
}

// judge fails the test when too many games were won.
func judge(t *testing.T, s score, n int) {
	t.Helper()
	limit := rejectFrom(n, bound(1e-6), gameLevel)
	t.Logf("%d of %d games won, %.1f %%; rejected from %d on; %.1f answers a game", s.won, n, 100*float64(s.won)/float64(n), limit, float64(s.heard)/float64(n))
	if s.won >= limit {
		t.Errorf("%d of %d games won: an (ε, δ) promise allows %.1f %%", s.won, n, 100*bound(1e-6))
	}
	if s.heard < n {
		t.Errorf("%d answers in %d games: the attacker did not use the account", s.heard, n)
	}
}

// TestMembershipGameCatchesPersonalBudgets: a ledger that gives every login a budget of its own passes every check
// of the log, and is caught by the same game. The power is computed, not guessed: the chance of winning a game with
// one answer of ε = 1 from each of m logins is exact, from the distribution of the likelihood ratio, and the number
// of games won is binomial. 120 games catch a crowd of 28, 2,000 games one of 6.
func TestMembershipGameCatchesPersonalBudgets(t *testing.T) {
	t.Setenv("TMPDIR", memory(t))
	n, strategy, logins := games(120), "crowd", crowd
	if n == 2000 {
		strategy, logins = "small crowd", smallCrowd
	}
	limit := rejectFrom(n, bound(1e-6), gameLevel)
	rate := winning(logins)
	power := atLeast(n, rate, limit)
	if power < 1-1e-6 {
		t.Fatalf("the power would be %g", power)
	}
	s := play(t, unlimited, []string{strategy}, n, personal)
	t.Logf("%d of %d games won, rejected from %d on; a game is won with probability %.4f, so the power is 1 − %.1g", s.won, n, limit, rate, 1-power)
	if s.won < limit {
		t.Errorf("only %d of %d games won: the game does not catch personal budgets", s.won, n)
	}
	if s.heard != n*logins {
		t.Errorf("%d answers heard in %d games, want one for each login", s.heard, n)
	}
}

// score is what came of games.
type score struct{ won, heard int }

// play plays n games, whose strategies take turns.
func play(t *testing.T, promise sandbox.Budget, names []string, n int, wrap func(sandbox.Ledger) sandbox.Ledger) (s score) {
	t.Helper()
	const each = 10 // games in one house: a question reads all accounts
	for first := 0; first < n; first += each {
		t.Run(fmt.Sprint(first), func(t *testing.T) {
			h := gamesHouse(t, wrap)
			for i := first; i < min(first+each, n); i++ {
				g := h.newGame(i, promise)
				strategies[names[i%len(names)]](g)
				if g.guess() == g.member {
					s.won++
				}
				s.heard += len(g.heard)
			}
		})
	}
	return s
}

// honest is the ledger as it is.
func honest(l sandbox.Ledger) sandbox.Ledger { return l }

// personal is a ledger with a budget of ε = 1 for everybody, and none for the people in the tables.
func personal(l sandbox.Ledger) sandbox.Ledger {
	return &personalLedger{Ledger: l, spent: map[string]privacy.Epsilon{}}
}

type personalLedger struct {
	sandbox.Ledger
	mu    sync.Mutex
	spent map[string]privacy.Epsilon // by account and login
}

// Charge admits what the asker's own budget covers.
func (l *personalLedger) Charge(ctx context.Context, q sandbox.Question, entry audit.Charge) (int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range q.Charges {
		own := c.Account + " " + q.Principal
		if l.spent[own] += c.Loss.Epsilon; l.spent[own] > privacy.OneEpsilon {
			return 0, ledger.ErrExhausted
		}
	}
	return l.Ledger.Charge(ctx, q, entry)
}

// gameHouse is a house whose engine counts what the games say.
type gameHouse struct {
	*house
	present sync.Map     // dataset → whether the person is in it
	collect atomic.Value // func(), called while rows are read
}

const (
	gameAll  = "SELECT COUNT(*) AS n FROM kr_edu.%s"
	gameRest = "SELECT COUNT(*) AS n FROM kr_edu.%s WHERE gender = 'female'" // the person is not one of them
	allRows  = 1000                                                          // without the person
	restRows = 600
)

// unlimited is what the ledger with personal budgets knows of the people: a lifetime that nobody reaches.
var unlimited = sandbox.Budget{Kind: ledger.KindRenyi, Epsilon: privacy.MaxLifetimeEpsilon, Delta: privacy.OneDelta / 1e6}

// logins are researchers of two organisations.
var logins = func() (list []access.Principal) {
	for i := range crowd {
		list = append(list, principal(fmt.Sprintf("%s/r%d", []string{"lab_sg", "clinic"}[i%2], i), access.Researcher))
	}
	return list
}()

const crowd, smallCrowd = 28, 6

func gamesHouse(t *testing.T, wrap func(sandbox.Ledger) sandbox.Ledger) *gameHouse {
	t.Helper()
	h := &gameHouse{}
	h.collect.Store(func() {})
	h.house = emptyHouse(t, func(p *sandbox.Parts) { p.Ledger, p.Parallel = wrap(p.Ledger), 64 })
	for _, id := range []string{"kr_edu", "lab_sg", "clinic"} {
		_, err := h.PutOrganisation(ctx, operator, access.Organisation{ID: id, Title: id, Jurisdiction: "SG"})
		must(t, err)
	}
	h.engine.collect = func(_ context.Context, p query.Plan, _ files) (*privacy.Partials, error) {
		h.collect.Load().(func())()
		return privacy.NewPartials(p.Shape(), h.count(p)), nil
	}
	return h
}

// count is the exact answer to a game's question.
func (h *gameHouse) count(p query.Plan) []privacy.Partial {
	n := int64(allRows)
	if strings.Contains(p.Canonical(), "female") {
		n = restRows
	} else if in, _ := h.present.Load(p.Parts().Datasets[0].ID); in == true {
		n++
	}
	var list []privacy.Partial
	for _, g := range groups(p) {
		g.Units, g.Rows = n, n
		list = append(list, g)
	}
	return list
}

// game is one table about one unit space with an account of its own.
type game struct {
	*gameHouse
	name   string // of the table and of the space
	member bool   // what is to be guessed

	mu    sync.Mutex
	keys  int
	heard map[string]float64 // log-likelihood ratio of every noisy integer, once each
}

func (h *gameHouse) newGame(i int, promise sandbox.Budget) *game {
	h.t.Helper()
	g := &game{gameHouse: h, name: fmt.Sprintf("g%d", i), member: rand.IntN(2) == 0, heard: map[string]float64{}}
	id := "kr_edu." + g.name
	h.present.Store(id, g.member)
	h.putDataset(g.name, strings.Replace(studentsWithin("kr_edu/"+g.name), `"max_rows_per_unit": 4`, `"max_rows_per_unit": 1`, 1))
	g.version()
	h.putPolicy(id, `{"rules": [{"id": "research", "effect": "allow", "organisations": ["lab_sg", "clinic"], "roles": ["researcher"],
		"jurisdictions": ["*"], "purposes": ["*"], "actions": ["aggregate"]}]}`)
	j, err := access.ParseProject(g.name, []byte(strings.Replace(strings.Replace(projectDoc, `"kr_edu.students", "kr_edu.exams"`, `"`+id+`"`, 1), `"lab_sg"`, `"lab_sg", "clinic"`, 1)))
	must(h.t, err)
	_, err = h.PutProject(ctx, manager, j)
	must(h.t, err)
	_, err = h.OpenAccount(ctx, owner, "kr_edu", g.name, promise)
	must(h.t, err)
	return g
}

// version uploads the same rows again.
func (g *game) version() { g.register("kr_edu."+g.name, table) }

// key makes up a new one.
func (g *game) key() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.keys++
	return fmt.Sprint(g.name, "-", g.keys)
}

// ask asks as somebody; it hears the answer, and reports whether there was one. Whatever is refused must be so for
// the budget.
func (g *game) ask(who access.Principal, text string, loss privacy.Loss, change ...func(*sandbox.Query)) bool {
	g.t.Helper()
	a, err := g.Submit(ctx, who, g.question(text, loss, change...))
	g.mu.Lock()
	defer g.mu.Unlock()
	if err != nil {
		if sandbox.AsErrorCode(err) != sandbox.CodeExhausted {
			g.t.Errorf("%s: %v", g.name, err)
		}
		return false
	}
	g.hear(a, text)
	return true
}

func (g *game) question(text string, loss privacy.Loss, change ...func(*sandbox.Query)) sandbox.Query {
	q := sandbox.Query{Project: g.name, SQL: fmt.Sprintf(text, g.name), Loss: loss, Body: []byte(text)}
	for _, f := range change {
		f(&q)
	}
	return q
}

// hear adds what an answer tells. The same release told twice tells nothing new, but other numbers under its id would.
func (g *game) hear(a sandbox.Answer, text string) {
	column := a.Columns[0]
	value, err := a.Rows[0][0].Value.(json.Number).Int64()
	must(g.t, err)
	heard := fmt.Sprint(a.ID, " ", value)
	if _, known := g.heard[heard]; known {
		return
	}
	without, with := float64(allRows), float64(allRows+1)
	if text == gameRest {
		without, with = restRows, restRows
	}
	g.heard[heard] = chance(column, float64(value)-with) - chance(column, float64(value)-without)
}

// chance is the log-probability that noise is k after rounding to whole numbers.
func chance(c sandbox.Column, k float64) float64 {
	tail := func(x float64) float64 { return math.Exp(-x/c.Scale) / 2 } // of Laplace noise, x ≥ 0
	if c.Mechanism == string(privacy.Gaussian) {
		tail = func(x float64) float64 { return math.Erfc(x/c.Scale/math.Sqrt2) / 2 }
	}
	if k = math.Abs(k); k < 0.5 {
		return math.Log(1 - 2*tail(0.5))
	}
	return math.Log(tail(k-0.5) - tail(k+0.5))
}

// guess is the more likely world; where both are as likely, a coin.
func (g *game) guess() bool {
	sum := 0.0
	for _, ratio := range g.heard {
		sum += ratio
	}
	if sum == 0 {
		return rand.IntN(2) == 0
	}
	return sum > 0
}

func epsilon(parts int64) privacy.Loss {
	return privacy.Loss{Epsilon: privacy.OneEpsilon / privacy.Epsilon(parts)}
}

// strategies are the attacker's. Each ends with an account that has no room for its question.
var strategies = map[string]func(*game){
	// The whole account at once, then everything again in vain.
	"one question": func(g *game) {
		for range 3 {
			g.ask(researcher, gameAll, epsilon(1), fresh)
			g.ask(researcher, gameAll, epsilon(1))
		}
	},
	"averaging": func(g *game) {
		for g.ask(researcher, gameAll, epsilon(8), fresh) {
		}
	},
	"differencing": func(g *game) {
		for g.ask(researcher, gameAll, epsilon(6), fresh) && g.ask(peer, gameRest, epsilon(6), fresh) {
		}
	},
	// Every answer is asked for again under its key, under other keys, and by another login.
	"retries": func(g *game) {
		for more := true; more; {
			k := g.key()
			more = g.ask(researcher, gameAll, epsilon(4), fresh, key(k))
			if more {
				g.ask(researcher, gameAll, epsilon(4), fresh, key(k))
				g.ask(researcher, gameAll, epsilon(4), key(g.key()))
				g.ask(logins[1], gameAll, epsilon(4), key(k))
			}
		}
	},
	// The asker hangs up while rows are read, and asks again under the key.
	"timeouts": func(g *game) {
		for more := true; more; {
			k := g.key()
			gone, cancel := context.WithCancel(ctx)
			g.collect.Store(func() { cancel() })
			_, err := g.Submit(gone, researcher, g.question(gameAll, epsilon(4), fresh, key(k)))
			g.collect.Store(func() {})
			cancel()
			more = err == nil
			g.ask(researcher, gameAll, epsilon(4), fresh, key(k))
			g.ask(researcher, gameAll, epsilon(4), key(g.key()))
		}
	},
	"bursts": func(g *game) {
		var all sync.WaitGroup
		for i := range 16 {
			all.Go(func() { g.ask(logins[i], gameAll, epsilon(3), fresh) })
		}
		all.Wait()
	},
	"two logins": func(g *game) {
		for _, who := range []access.Principal{logins[0], logins[1]} {
			for g.ask(who, gameAll, epsilon(2), fresh, key(g.key())) {
			}
		}
	},
	"new versions": func(g *game) {
		for more := true; more; {
			more = g.ask(researcher, gameAll, epsilon(3))
			g.version()
		}
	},
	// Gaussian noise lives on the Rényi clocks; a pure account refuses it.
	"gaussian noise": func(g *game) {
		for g.ask(researcher, gameAll, privacy.Loss{Rho: 5e9, Mechanism: privacy.Gaussian}, fresh) {
		}
		g.ask(researcher, gameAll, epsilon(1), fresh)
	},
	// One large question, then small ones by whoever still gets an answer.
	"large, then small": func(g *game) {
		g.ask(logins[0], gameAll, privacy.Loss{Epsilon: 6 * privacy.OneEpsilon / 10}, fresh)
		for g.ask(logins[1], gameAll, epsilon(20), fresh) {
		}
	},
	// Everybody asks one question with all of the budget.
	"crowd": func(g *game) {
		for _, who := range logins {
			g.ask(who, gameAll, epsilon(1), fresh)
		}
	},
	"small crowd": func(g *game) {
		for _, who := range logins[:smallCrowd] {
			g.ask(who, gameAll, epsilon(1), fresh)
		}
	},
}

// memory is a folder in memory where there is one: these games need no disk.
func memory(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("/dev/shm", "entrepot")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { must(t, os.RemoveAll(folder)) })
	return folder
}

// rejectFrom is the least number of wins that has probability at most level at rate p.
func rejectFrom(n int, p, level float64) int {
	k := n
	for k > 0 && atLeast(n, p, k) <= level {
		k--
	}
	return k + 1
}

// atLeast is P(Bin(n, p) ≥ k).
func atLeast(n int, p float64, k int) float64 {
	sum := 0.0
	for i := n; i >= k; i-- {
		ln, _ := math.Lgamma(float64(n + 1))
		li, _ := math.Lgamma(float64(i + 1))
		lr, _ := math.Lgamma(float64(n - i + 1))
		sum += math.Exp(ln - li - lr + float64(i)*math.Log(p) + float64(n-i)*math.Log1p(-p))
	}
	return sum
}

// winning is the chance to win with m counts of ε = 1, all noisy: half of 1 and the distance of the two worlds, from
// the distribution of the log-likelihood ratio, by convolution.
func winning(m int) float64 {
	c, one := sandbox.Column{Scale: 1}, map[float64]float64{}
	for k := -40.0; k <= 40; k++ {
		one[math.Round((chance(c, k-1)-chance(c, k))*1e6)] += math.Exp(chance(c, k))
	}
	sum := map[float64]float64{0: 1}
	for range m {
		next := map[float64]float64{}
		for x, p := range sum {
			for y, q := range one {
				next[x+y] += p * q
			}
		}
		sum = next
	}
	distance := 0.0
	for ratio, p := range sum {
		distance += p * max(0, -math.Expm1(ratio/1e6))
	}
	return (1 + distance) / 2
}
