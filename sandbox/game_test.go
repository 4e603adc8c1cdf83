package sandbox_test

import (
	"context"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"entrepot/privacy"
	"entrepot/privacy/ledger"
	"entrepot/sandbox"
	"entrepot/sandbox/audit"
)

// The membership game. A coin decides whether one person is in a table of which the attacker knows everything
// else. The attacker has the account's whole lifetime ε = 1, every login and every trick of its strategy, collects
// all noisy integers, and guesses by their likelihood ratio. Under an (ε, δ) promise no attacker is right more
// often than e^ε/(1+e^ε) + δ, 73.1 %.
//
// The test rejects when as many games or more are won as would be with probability at most gameLevel at exactly
// that rate, which is the false-reject rate for a ledger that holds: 24 tests in a soak, 9.6e-6 in all.
const gameLevel = 4e-7

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
		names = slices.DeleteFunc(names, func(name string) bool { return name == "crowd" }) // the small one will do
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
	miss := atLeast(n, 1-rate, n-limit+1) // so many lost, or more
	if miss > 1e-6 {
		t.Fatalf("the power would be 1 − %g", miss)
	}
	s := play(t, unlimited, []string{strategy}, n, personal)
	t.Logf("%d of %d games won, rejected from %d on; a game is won with probability %.4f, so the power is 1 − %.1g", s.won, n, limit, rate, miss)
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
func play(t *testing.T, promise sandbox.Budget, names []string, n int, wrap func(sandbox.Ledger) sandbox.Ledger) score {
	t.Helper()
	const each = 10 // games in one house: a question reads all accounts
	var won, heard atomic.Int64
	t.Run("games", func(t *testing.T) {
		for first := 0; first < n; first += each {
			t.Run(fmt.Sprint(first), func(t *testing.T) {
				t.Parallel()
				h := gamesHouse(t, wrap)
				for i := first; i < min(first+each, n); i++ {
					g := h.newGame(i, promise)
					strategies[names[i%len(names)]](g)
					if g.guess() == g.member {
						won.Add(1)
					}
					heard.Add(int64(len(g.heard)))
				}
			})
		}
	})
	return score{int(won.Load()), int(heard.Load())}
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
