package sandbox_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"entrepot/access"
	"entrepot/privacy"
	"entrepot/privacy/ledger"
	"entrepot/sandbox"
	"entrepot/sandbox/query"
)

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
