package querytest

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"entrepot/privacy"
	"entrepot/privacy/privacytest"
	"entrepot/sandbox/query"
)

// neighbours are a question, a table and one unit of it.
type neighbours struct {
	sql         string
	parts       query.Parts
	question    privacy.Question
	whole, less Tables
}

// cases makes random neighbours of so many questions.
func cases(t *testing.T, seed uint64, questions int) []neighbours {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 6))
	var all []neighbours
	for range questions / 10 {
		schema, err := Schema(r)
		if err != nil {
			t.Fatal(err)
		}
		g := NewGenerator(r, schema)
		tables := Fill(r, schema, 4, 1)
		for range 10 {
			plan, sql, _, err := g.Plan()
			if err != nil {
				continue // refusals are TestGenerator's to count
			}
			p := plan.Parts()
			q, err := plan.Question(g.Loss(p), nil, 1+g.Int64N(3))
			if err != nil {
				t.Fatalf("%s: %v", sql, err)
			}
			if _, err := privacy.NewSpec(q); err != nil {
				continue // too many numbers, or values too large for the noise
			}
			for _, u := range p.From.Units {
				for _, unit := range tables.Units(u.Space) {
					all = append(all, neighbours{sql, p, q, tables, tables.Without(u.Space, unit)})
				}
			}
		}
	}
	return all
}

// TestSeamOfEvaluate shows that the seam holds for the naive evaluator, so that what it finds below was
// planted.
func TestSeamOfEvaluate(t *testing.T) {
	all := cases(t, 20261205, 500)
	moved := 0
	for _, c := range all {
		s, err := NewSeam(c.question)
		if err != nil {
			t.Fatal(err)
		}
		whole, less := Evaluate(c.parts, c.whole), Evaluate(c.parts, c.less)
		if Diff(whole, less) != "" {
			moved++
		}
		if err := s.Check(whole, less); err != nil {
			t.Errorf("%s: %v", c.sql, err)
		}
	}
	t.Logf("%d neighbours, %d with different partials", len(all), moved)
	if len(all) < 1000 || moved*5 < len(all)*2 {
		t.Errorf("only %d of %d neighbours differed", moved, len(all))
	}
}

// defect is a bug of sensitivity: what it makes of a question before its noise is made, of what the
// noise is made for, or of partials. Each is nil where it changes nothing.
type defect struct {
	name     string
	question func(q *privacy.Question, p query.Parts)
	noise    func(s *privacytest.Sensitivity, q privacy.Question)
	partials func(p query.Parts, tables Tables) []privacy.Partial
}

// bounded evaluates with other contribution bounds.
func bounded(change func(c *privacy.Contribution)) func(query.Parts, Tables) []privacy.Partial {
	return func(p query.Parts, tables Tables) []privacy.Partial {
		change(&p.Contribution)
		return Evaluate(p, tables)
	}
}

// defects are bugs that engines, planners and mechanisms had, or could have.
func defects() []defect {
	return []defect{
		{name: "one row too many in a group", partials: bounded(func(c *privacy.Contribution) { c.MaxRowsPerPartition++ })},
		{name: "one group too many", partials: bounded(func(c *privacy.Contribution) { c.MaxPartitions++ })},
		{name: "rows in a group are not bounded", partials: bounded(func(c *privacy.Contribution) { c.MaxRowsPerPartition = math.MaxInt64 })},
		{name: "groups are not bounded", partials: bounded(func(c *privacy.Contribution) { c.MaxPartitions = math.MaxInt64 })},
		{name: "each branch of a union is bounded by itself", partials: boundedByBranch},
		{name: "rows are bounded by group, not by unit", partials: boundedByGroup},
		{name: "values are clamped before they are rounded", partials: func(p query.Parts, tables Tables) []privacy.Partial {
			p.Arguments = slices.Clone(p.Arguments)
			for i := range p.Arguments {
				p.Arguments[i].Lower--
				p.Arguments[i].Upper++
			}
			return Evaluate(p, tables)
		}},
		{name: "a join is taken to have as many rows as its left side", question: leftRows,
			partials: func(p query.Parts, tables Tables) []privacy.Partial {
				if unitJoin(p.From) {
					p.Contribution.MaxRowsPerPartition = math.MaxInt64
				}
				return Evaluate(p, tables)
			}},
		{name: "a centred sum counts whole steps, not half steps", noise: func(s *privacytest.Sensitivity, _ privacy.Question) {
			if s.Quantity == "centred sum" {
				s.Cell, s.L1, s.L2Squared = s.Cell/2, s.L1/2, s.L2Squared/4
			}
		}},
		{name: "a count is shared with one of another FILTER", question: func(q *privacy.Question, _ query.Parts) {
			for i := range q.Aggregates {
				q.Aggregates[i].NotNull = true
			}
		}},
		{name: "distinct values are told apart before bounding", partials: func(p query.Parts, tables Tables) []privacy.Partial {
			all := map[string]privacy.Partial{}
			for _, g := range Aggregate(p, Rows(p, tables)) {
				all[g.Key] = g
			}
			return changed(p, tables, func(g *privacy.Partial) {
				for i := range g.Arguments {
					g.Arguments[i].Distinct = all[g.Key].Arguments[i].Distinct
				}
			})
		}},
		{name: "units are counted by their rows", partials: func(p query.Parts, tables Tables) []privacy.Partial {
			return changed(p, tables, func(g *privacy.Partial) {
				g.Units = g.Rows
				for i, t := range g.Arguments {
					g.Arguments[i].Units = t.NonNull
				}
			})
		}},
		{name: "one level of a quantile tree is accounted for", noise: func(s *privacytest.Sensitivity, q privacy.Question) {
			if s.Quantity == "tree" {
				s.L1 = min(q.Contribution.MaxPartitions*q.Contribution.MaxRowsPerPartition, q.Contribution.MaxRows)
			}
		}},
		{name: "a threshold is tested on exact counts", partials: func(p query.Parts, tables Tables) []privacy.Partial {
			return slices.DeleteFunc(Evaluate(p, tables), func(g privacy.Partial) bool { return p.PublicKeys == nil && g.Units < 3 })
		}},
	}
}

// TestSeamFindsDefects plants each defect. The seam test of engines has many times as many cases.
func TestSeamFindsDefects(t *testing.T) {
	all := cases(t, 20261206, 800)
	for _, d := range defects() {
		t.Run(d.name, func(t *testing.T) {
			for i, c := range all {
				if err := d.check(c); err != nil {
					if err := (defect{}).check(c); err != nil {
						t.Fatalf("%s: without the defect: %v", c.sql, err)
					}
					t.Logf("found in neighbours %d of %d: %.300v", i+1, len(all), err)
					return
				}
			}
			t.Errorf("not found in %d neighbours", len(all))
		})
	}
}

// check runs the seam test with the defect in place.
func (d defect) check(c neighbours) error {
	q := c.question
	q.Aggregates = slices.Clone(q.Aggregates)
	if d.question != nil {
		d.question(&q, c.parts)
	}
	s, err := NewSeam(q)
	if err != nil {
		return nil // refused: the defect does no harm here
	}
	if d.noise != nil {
		for i := range s.Sensitivities {
			d.noise(&s.Sensitivities[i], q)
		}
	}
	evaluate := Evaluate
	if d.partials != nil {
		evaluate = d.partials
	}
	p := c.parts
	p.Contribution = q.Contribution
	return s.Check(evaluate(p, c.whole), evaluate(p, c.less))
}

// changed evaluates and changes each partial.
func changed(p query.Parts, tables Tables, change func(*privacy.Partial)) []privacy.Partial {
	partials := Evaluate(p, tables)
	for i := range partials {
		change(&partials[i])
	}
	return partials
}

// boundedByBranch bounds what each branch of a union contributes.
func boundedByBranch(p query.Parts, tables Tables) []privacy.Partial {
	if p.From.Op != query.Union {
		return Evaluate(p, tables)
	}
	var kept []Record
	for _, branch := range p.From.Inputs {
		q := p
		q.From = branch
		kept = append(kept, Bound(q, Rows(q, tables))...)
	}
	return Aggregate(p, kept)
}

// boundedByGroup keeps the first rows of a group, whosever they are.
func boundedByGroup(p query.Parts, tables Tables) []privacy.Partial {
	rows := Rows(p, tables)
	slices.SortFunc(rows, func(a, b Record) int {
		if a.Rank != b.Rank {
			return int(a.Rank - b.Rank)
		}
		if a.Unit != b.Unit {
			return int(a.Unit - b.Unit)
		}
		return strings.Compare(a.Space, b.Space)
	})
	inGroup := map[string]int64{}
	return Aggregate(p, slices.DeleteFunc(rows, func(r Record) bool {
		inGroup[r.Key]++
		return inGroup[r.Key] > 2*p.Contribution.MaxRowsPerPartition
	}))
}

// leftRows makes noise for as many rows as a unit has on the left side of a join.
func leftRows(q *privacy.Question, p query.Parts) {
	if !unitJoin(p.From) {
		return
	}
	c := &q.Contribution
	c.MaxRows = p.From.Inputs[0].Units[0].Rows
	c.MaxPartitions, c.MaxRowsPerPartition = min(c.MaxPartitions, c.MaxRows), min(c.MaxRowsPerPartition, c.MaxRows)
}

// unitJoin tells whether a relation is a join on the privacy ID.
func unitJoin(r query.Relation) bool { return r.Op == query.JoinRows && !r.Join.Public }
