package engine

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"entrepot/datasets"
	"entrepot/sandbox/query"
	"entrepot/sandbox/query/querytest"
)

// pair is a table and the same table without one unit, by the worlds that hold them.
type pair struct {
	space       string
	whole, less int
}

// neighbourhood is some random tables with all of their neighbours, as worlds of one set of files.
type neighbourhood struct {
	schema querytest.Tables
	files  map[string]datasets.Table
	worlds int
	pairs  []pair
}

// newNeighbourhood makes so many tables with a few units, and for each unit the table without it.
func newNeighbourhood(t *testing.T, r *rand.Rand, dir string, tables, units int) neighbourhood {
	t.Helper()
	schema, err := querytest.Schema(r)
	if err != nil {
		t.Fatal(err)
	}
	var worlds []querytest.Tables
	n := neighbourhood{schema: schema}
	for range tables {
		whole := len(worlds)
		worlds = append(worlds, querytest.Fill(r, schema, units, 1).WithPublic(worlds))
		for _, space := range []string{"org/person", "org/firm"} {
			for _, unit := range worlds[whole].Units(space) {
				n.pairs = append(n.pairs, pair{space, whole, len(worlds)})
				worlds = append(worlds, worlds[whole].Without(space, unit))
			}
		}
	}
	n.worlds = len(worlds)
	n.files = writeTables(t, r, dir, fmt.Sprint(r.Uint64()), querytest.Merge(worlds), true)
	return n
}

// maxKeys is how many public groups a question of the seam test may have: each is drawn for every pair.
const maxKeys = 300

// seamCount is what a seam test saw.
type seamCount struct{ questions, pairs, moved, refused int }

// ask runs a question on all worlds at once and checks each pair that the question can tell apart.
func (n neighbourhood) ask(t *testing.T, e *Engine, plan query.Plan, g *querytest.Generator, seen *seamCount) error {
	t.Helper()
	p := plan.Parts()
	question, err := plan.Question(g.Loss(p), nil, 1+g.Int64N(3))
	if err != nil {
		return err
	}
	seam, err := querytest.NewSeam(question)
	if err != nil || len(p.PublicKeys) > maxKeys {
		seen.refused++ // too many numbers, or values too large for the noise
		return nil
	}
	all, err := e.collect(t.Context(), querytest.Worlds(p, n.worlds), n.files)
	if err != nil {
		return err
	}
	partials, err := querytest.Split(all)
	if err != nil {
		return err
	}
	seen.questions++
	for _, pair := range n.pairs {
		if !reads(p, pair.space) {
			continue
		}
		seen.pairs++
		whole, less := partials[pair.whole], partials[pair.less]
		if querytest.Diff(whole, less) != "" {
			seen.moved++
		}
		if err := seam.Check(whole, less); err != nil {
			return err
		}
	}
	return nil
}

// reads tells whether units of a space have rows in a question.
func reads(p query.Parts, space string) bool {
	for _, u := range p.From.Units {
		if u.Space == space {
			return true
		}
	}
	return false
}

// TestSeam removes each unit of random tables in turn, for random questions over the whole grammar, and
// checks the seam between exact partials and noise; querytest.Seam says what that is.
//
// Its power is shown by TestSeamFindsPlans here and by TestSeamFindsDefects of package querytest.
func TestSeam(t *testing.T) {
	const seed, perTable = 20261123, 30
	atLeast, tables := 10_000, 3
	if soak() {
		atLeast, tables = 100_000, 8
	}
	r := rand.New(rand.NewPCG(seed, 3))
	dir := t.TempDir()
	e := open(t, Options{Dir: dir, Threads: 2, Timeout: patience})
	var seen seamCount
	start := time.Now()
	for seen.pairs < atLeast {
		n := newNeighbourhood(t, r, dir, tables, 5)
		g := querytest.NewGenerator(r, n.schema)
		for range perTable {
			plan, sql, bounds, err := g.Plan()
			if err != nil {
				continue // refusals are package query's to test
			}
			if err := n.ask(t, e, plan, g, &seen); err != nil {
				t.Errorf("%s %+v: %v", sql, bounds, err)
			}
		}
		remove(t, dir, n.files)
	}
	t.Logf("%+v in %s", seen, time.Since(start))
	if seen.moved*3 < seen.pairs || seen.refused > seen.questions/4 {
		t.Errorf("too few neighbours differ, or too many questions are refused: %+v", seen)
	}
}

// TestSeamFindsPlans gives the engine other plans than the noise is made for.
func TestSeamFindsPlans(t *testing.T) {
	const seed, tables, perTable = 20261124, 8, 30
	for name, plant := range map[string]func(p *query.Parts){
		"one row too many in a group":     func(p *query.Parts) { p.Contribution.MaxRowsPerPartition++ },
		"one group too many":              func(p *query.Parts) { p.Contribution.MaxPartitions++ },
		"rows in a group are not bounded": func(p *query.Parts) { p.Contribution.MaxRowsPerPartition = p.Contribution.MaxRows },
		"groups are not bounded":          func(p *query.Parts) { p.Contribution.MaxPartitions = p.Contribution.MaxRows },
		"one row of a unit too many": func(p *query.Parts) {
			if p.From.Op == query.Scan {
				p.From.Units = []query.UnitRows{{Space: p.From.Units[0].Space, Rows: p.From.Units[0].Rows + 1}}
				p.From.MaxRank++
				p.Contribution.MaxRows++
			}
		},
		"values are clamped by one step more": func(p *query.Parts) {
			for i := range p.Arguments {
				p.Arguments[i].Lower, p.Arguments[i].Upper = p.Arguments[i].Lower-1, p.Arguments[i].Upper+1
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 3))
			dir := t.TempDir()
			e := open(t, Options{Dir: dir, Threads: 2, Timeout: patience})
			for range tables {
				n := newNeighbourhood(t, r, dir, 2, 5)
				g := querytest.NewGenerator(r, n.schema)
				for range perTable {
					plan, sql, _, err := g.Plan()
					if err != nil {
						continue
					}
					if err := n.askPlanted(t, e, plan, g, plant); err != nil {
						t.Logf("found by %s: %.300v", sql, err)
						return
					}
				}
			}
			t.Error("not found")
		})
	}
}

// askPlanted is ask with a plan changed between planner and engine.
func (n neighbourhood) askPlanted(t *testing.T, e *Engine, plan query.Plan, g *querytest.Generator, plant func(*query.Parts)) error {
	t.Helper()
	p := plan.Parts()
	question, err := plan.Question(g.Loss(p), nil, 1)
	if err != nil {
		return err
	}
	seam, err := querytest.NewSeam(question)
	if err != nil {
		return nil
	}
	plant(&p)
	all, err := e.collect(t.Context(), querytest.Worlds(p, n.worlds), n.files)
	if err != nil {
		return nil // the engine refuses the plan: found as well, but not by the seam
	}
	partials, err := querytest.Split(all)
	if err != nil {
		t.Fatal(err)
	}
	for _, pair := range n.pairs {
		if err := seam.Check(partials[pair.whole], partials[pair.less]); err != nil {
			return err
		}
	}
	return nil
}
