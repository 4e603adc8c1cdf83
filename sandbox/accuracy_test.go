package sandbox_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"entrepot/privacy"
	"entrepot/privacy/ledger"
	"entrepot/sandbox"
)

// exact asks for an accuracy in place of a loss: half-widths by column.
func exact(widths map[string]float64) func(*sandbox.Query) {
	return func(q *sandbox.Query) {
		q.Loss, q.Accuracy = privacy.Loss{}, &sandbox.Accuracy{HalfWidth: widths}
	}
}

// of names the release whose groups are meant.
func of(release string) func(*sandbox.Query) {
	return func(q *sandbox.Query) { q.Group = sandbox.Group{Release: release} }
}

// accurate are questions with an accuracy, each with what it promises whatever the rows are.
func accurate() map[string]sandbox.Query {
	towns := "SELECT town, COUNT(*) AS n, SUM(math) AS total FROM kr_edu.students GROUP BY town HAVING COUNT(math) > 10"
	return map[string]sandbox.Query{
		"a count":                ask(exact(map[string]float64{"n": 40})),
		"a count and a mean":     ask(exact(map[string]float64{"n": 40, "maths": 30}), group(5000)),
		"a mean":                 ask(exact(map[string]float64{"maths": 20}), group(2000)),
		"a part of a count":      ask(exact(nil), group(1000), func(q *sandbox.Query) { q.Accuracy.Relative = map[string]float64{"n": 0.05} }),
		"private groups":         ask(sql(towns), exact(map[string]float64{"n": 400, "total": 900_000}), func(q *sandbox.Query) { q.Loss.Delta = nano }),
		"bounds":                 ask(exact(map[string]float64{"n": 10}), func(q *sandbox.Query) { q.Bounds.MaxRowsPerPartition = 1 }),
		"laplace noise":          ask(exact(map[string]float64{"n": 40}), func(q *sandbox.Query) { q.Loss.Mechanism = privacy.Laplace }),
		"gaussian noise":         ask(exact(map[string]float64{"n": 400}), func(q *sandbox.Query) { q.Loss.Mechanism, q.Loss.GaussianDelta = privacy.Gaussian, nano }),
		"a deviation, by chance": ask(sql("SELECT STDDEV(math) AS spread, COUNT(*) AS n FROM kr_edu.students"), exact(map[string]float64{"spread": 40, "n": 60}), group(9000)),
	}
}

// TestAccuracyIsMet: an answer's intervals of counts and sums are as narrow as asked for, its expected ones are in the
// estimate, and it costs what the estimate says.
func TestAccuracyIsMet(t *testing.T) {
	for name, q := range accurate() {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			h.putPolicy(students, boundless)
			e, err := h.Estimate(ctx, researcher, q)
			must(t, err)
			targets := 0
			for _, c := range e.Aggregates {
				if c.Target != nil {
					targets++
					if *c.HalfWidth > *c.Target || *c.HalfWidth < *c.Target/100 {
						t.Errorf("%+v", c)
					}
				}
			}
			if targets != len(q.Accuracy.HalfWidth)+len(q.Accuracy.Relative) {
				t.Errorf("%d targets in %+v", targets, e.Aggregates)
			}
			a, err := h.Submit(ctx, researcher, q)
			must(t, err)
			if !reflect.DeepEqual(*a.Loss, e.Loss) || a.Charged[0] != e.Charged[0].Charge {
				t.Errorf("%+v %+v is charged, estimated %+v %+v", a.Loss, a.Charged, e.Loss, e.Charged)
			}
			for _, r := range a.Rows {
				for _, c := range e.Aggregates {
					if c.Target == nil || c.Expected {
						continue
					}
					if width := (field(t, r, c.Name+"_high") - field(t, r, c.Name+"_low")) / 2; width > *c.Target {
						t.Errorf("%s is ± %g, asked for ± %g", c.Name, width, *c.Target)
					}
				}
			}
		})
	}
}

// field is a number of a row.
func field(t *testing.T, r sandbox.Row, name string) float64 {
	t.Helper()
	for _, f := range r {
		if f.Name == name {
			x, err := f.Value.(json.Number).Float64()
			must(t, err)
			return x
		}
	}
	t.Fatalf("%+v has no %s", r, name)
	return 0
}

// TestAccuracyIsBlind: the loss found is the same whatever the rows are.
func TestAccuracyIsBlind(t *testing.T) {
	few, many := newHouse(t), newHouse(t)
	var rows strings.Builder
	rows.WriteString("student_id,gender,town,math\n")
	for i := range 300 {
		fmt.Fprintf(&rows, "s%d,female,c,%d\n", i%50, i)
	}
	few.register(students, table)
	many.register(students, rows.String())
	for name, q := range accurate() {
		a, err := few.Estimate(ctx, researcher, q)
		must(t, err)
		b, err := many.Estimate(ctx, researcher, q)
		must(t, err)
		if !reflect.DeepEqual(a, b) {
			t.Errorf("%s: %+v\nis not %+v", name, a, b)
		}
	}
}

// TestAccuracyTakesTheCheaper of the two mechanisms, as the accounts stand, and says why.
func TestAccuracyTakesTheCheaper(t *testing.T) {
	plain := ask(sql(exam), exact(map[string]float64{"n": 300}))
	finite := ask(sql(exam), exact(map[string]float64{"n": 300}), func(q *sandbox.Query) { q.Loss.GaussianDelta = 100 * nano })
	for _, test := range []struct {
		name  string
		spend func(h *house)
		query sandbox.Query
		want  string
		why   string
	}{
		{"nothing is used up", func(*house) {}, plain, "laplace", "would end Σε of kr_edu/pupil, which still runs"},
		{"nothing is used up, with a δ", func(*house) {}, finite, "gaussian", "of renyi_1 of kr_edu/pupil; laplace noise takes"},
		{"Σε is used up", (*house).endEpsilon, plain, "gaussian", "laplace noise takes"},
		{"Σδ is used up", (*house).endDelta, finite, "laplace", "does not admit gaussian noise"},
		{"Laplace noise is named", (*house).endEpsilon, with(plain, privacy.Laplace), "laplace", "names it"},
		{"Gaussian noise is named", func(*house) {}, with(plain, privacy.Gaussian), "gaussian", "names it"},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := small(t)
			test.spend(h)
			e, err := h.Estimate(ctx, researcher, test.query)
			must(t, err)
			if m := e.Mechanisms[0]; m.Mechanism != test.want || !strings.Contains(m.Why, test.why) || !e.Admitted {
				t.Errorf("%+v, admitted %t", m, e.Admitted)
			}
			test.query.Fresh = true
			a, err := h.Submit(ctx, researcher, test.query)
			must(t, err)
			if mechanism(t, a) != test.want || a.Charged[0] != e.Charged[0].Charge {
				t.Errorf("%+v, estimated %+v", a, e)
			}
		})
	}
}

// with names a mechanism.
func with(q sandbox.Query, m privacy.Mechanism) sandbox.Query {
	q.Loss.Mechanism = m
	return q
}

// TestAccuracyRepeats: the same accuracy finds its release again, also after the choice of noise moved.
func TestAccuracyRepeats(t *testing.T) {
	h := small(t)
	q := ask(sql(exam), exact(map[string]float64{"n": 300}))
	first, err := h.Submit(ctx, researcher, q)
	must(t, err)
	if first.Repeat || mechanism(t, first) != "laplace" {
		t.Fatalf("%+v", first)
	}
	h.take(1, privacy.Loss{Rho: rho / 500, Mechanism: privacy.Gaussian}) // ends Σε, with more noise than the first
	e, err := h.Estimate(ctx, researcher, q)
	must(t, err)
	if e.Mechanisms[0].Mechanism != "gaussian" {
		t.Fatalf("%+v", e.Mechanisms)
	}
	h.repeats(first, func(q sandbox.Query) (sandbox.Answer, error) { return h.Submit(ctx, peer, q) }, q)
}

// TestAccuracyIsDecided: who may not ask is told that, and not why an accuracy cannot be had.
func TestAccuracyIsDecided(t *testing.T) {
	h := small(t)
	impossible := ask(sql("SELECT MEDIAN(math) AS m FROM kr_edu.exams"), exact(map[string]float64{"m": 1}))
	_, err := h.Submit(ctx, researcher, impossible)
	refused(t, err, sandbox.CodeInvalid)
	h.putPolicy(exams, strings.Replace(policyDoc, "lab_sg", "clinic", 1))
	h.putPolicy(exams, strings.Replace(strings.Replace(policyDoc, `["aggregate"]`, `["metadata"]`, 1), `, "max_epsilon_per_query": 1`, "", 1))
	_, err = h.Submit(ctx, researcher, impossible)
	refused(t, err, sandbox.CodeDenied)
	h.putPolicy(exams, policyDoc)
	dear := ask(sql(exam), exact(map[string]float64{"n": 1})) // costs more than the policy lets it
	e, err := h.Estimate(ctx, researcher, dear)
	if must(t, err); e.Decision.Allowed || e.Loss.Epsilon <= privacy.OneEpsilon {
		t.Errorf("%+v", e)
	}
	_, err = h.Submit(ctx, researcher, dear)
	refused(t, err, sandbox.CodeDenied)
}

// TestEstimateSaysWhatIsInTheWay: in a word and a sentence, never as an error.
func TestEstimateSaysWhatIsInTheWay(t *testing.T) {
	epsilon := func(e privacy.Epsilon) sandbox.Query { return ask(sql(exam), spend(privacy.Loss{Epsilon: e})) }
	tenth, one := privacy.OneEpsilon/10, privacy.OneEpsilon
	later := func(h *house) ledger.Schedule {
		return ledger.Schedule{{From: ledger.Instant(h.now.Add(-time.Hour).Unix()), Share: privacy.OneShare / 20},
			{From: ledger.Instant(h.now.Add(time.Hour).Unix()), Share: privacy.OneShare / 4}}
	}
	base := sandbox.Budget{Kind: ledger.KindRenyi, Epsilon: one, Delta: 1000 * nano, Reason: "a test"}
	for _, test := range []struct {
		name    string
		change  func(h *house, b *sandbox.Budget) // of the account's terms
		then    func(h *house)
		query   sandbox.Query
		refused string // "" for admitted
		why     string
	}{
		{"nothing", nil, nil, epsilon(tenth), "", ""},
		{"the lifetime", nil, nil, epsilon(2 * one), "lifetime", "costs more than kr_edu/pupil ever bears"},
		{"a cap on one question", func(_ *house, b *sandbox.Budget) { b.Question.Epsilon = &tenth }, nil, epsilon(tenth + 1), "question", "ε 0.100000000001 of at most 0.1"},
		{"the schedule, for now", func(h *house, b *sandbox.Budget) { b.Schedule = later(h) }, nil, epsilon(tenth * 2), "schedule", "from 2026-11-21T10:30:00Z on"},
		{"the schedule, as it is", func(h *house, b *sandbox.Budget) { b.Schedule = later(h) }, nil, epsilon(tenth * 6), "schedule", "does not release enough"},
		{"what was spent", nil, func(h *house) { h.take(1, privacy.Loss{Epsilon: tenth * 9}) }, epsilon(tenth * 5), "room", "no room for this question (ε 0.5 of at most 0.1"},
		{"failures", nil, func(h *house) {
			h.engine.collect = faults()[0].collect
			for range 3 {
				_, err := h.Submit(ctx, researcher, epsilon(tenth/10))
				refused(h.t, err, sandbox.CodeQueryFailed)
			}
		}, epsilon(tenth), "frozen", "too many failed questions"},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := small(t)
			if test.change != nil {
				b := base
				test.change(h, &b)
				_, err := h.AmendAccount(ctx, owner, "kr_edu", "pupil", h.pupils().Revision, b)
				must(t, err)
			}
			if test.then != nil {
				test.then(h)
			}
			var e sandbox.Estimate
			h.unchanged(func() {
				var err error
				e, err = h.Estimate(ctx, researcher, test.query)
				must(t, err)
			})
			c := e.Charged[0]
			if c.Refused != test.refused || !strings.Contains(c.Why, test.why) || c.Admitted != (test.refused == "") || e.Admitted != c.Admitted || c.Admitted == (len(c.Clocks) == 0) {
				t.Errorf("%+v", c)
			}
			if test.query.Fresh = true; test.refused == "frozen" {
				return
			}
			if _, err := h.Submit(ctx, researcher, test.query); (err == nil) != e.Admitted {
				t.Errorf("estimated %+v, asked: %v", e.Charged, err)
			}
		})
	}
}

// TestEstimateNamesTheClocks that admit a charge, and asks the allocations that cover the asker, no others.
func TestEstimateNamesTheClocks(t *testing.T) {
	h := small(t)
	tenth := privacy.OneEpsilon / 10
	for name, scope := range map[string]ledger.Scope{"lab": {Organisation: "lab_sg"}, "bob": {Researcher: "lab_sg/bob"}, "gap": {Project: "gap", Organisation: "lab_sg"}} {
		limit := 2 * tenth
		if name == "gap" {
			limit = tenth / 2
		}
		_, err := h.PutAllocation(ctx, owner, "kr_edu", "pupil", name, 0, sandbox.AllocationChange{Scope: scope, Caps: sandbox.Limits{Epsilon: &limit}, Reason: "a test"})
		must(t, err)
	}
	q := ask(sql(exam), spend(privacy.Loss{Epsilon: tenth}))
	e, err := h.Estimate(ctx, researcher, q)
	must(t, err)
	c := e.Charged[0]
	if !c.Admitted || e.Admitted || !reflect.DeepEqual(c.Clocks, []string{"epsilon", "renyi_1", "renyi_2"}) || len(c.Allocations) != 2 ||
		c.Allocations[0].Name != "gap" || c.Allocations[0].Admitted || !strings.Contains(c.Allocations[0].Why, "ε 0.1 of at most 0.05") ||
		c.Allocations[1].Name != "lab" || !c.Allocations[1].Admitted || c.Allocations[1].Room.Epsilon != 2*tenth {
		t.Errorf("%+v", e)
	}
	_, err = h.Submit(ctx, researcher, q)
	refused(t, err, sandbox.CodeExhausted)
	if e, err = h.Estimate(ctx, colleague, q); err == nil && len(e.Charged[0].Allocations) > 0 {
		t.Errorf("%+v", e)
	}
	h = small(t)
	h.endEpsilon()
	if e, err = h.Estimate(ctx, researcher, q); err != nil || !reflect.DeepEqual(e.Charged[0].Clocks, []string{"renyi_1", "renyi_2"}) {
		t.Errorf("%+v %v", e, err)
	}
}

// TestEstimateOfARelease: an earlier release of the asker's tells how large groups are, and nobody else's does.
func TestEstimateOfARelease(t *testing.T) {
	h := newHouse(t)
	first, err := h.Submit(ctx, researcher, ask())
	must(t, err)
	least, most := field(t, first.Rows[0], "n"), field(t, first.Rows[1], "n")
	if least > most {
		least, most = most, least
	}
	q := ask(of(first.ID), exact(map[string]float64{"maths": 100}), func(q *sandbox.Query) { q.Accuracy.Relative = map[string]float64{"n": 0.5} })
	e, err := h.Estimate(ctx, researcher, q)
	must(t, err)
	if e.Release != first.ID || len(e.Groups) != 3 || e.Groups[0].Rows != max(1, least) || e.Groups[2].Rows != max(1, most) || e.GroupSize != e.Groups[0].Rows {
		t.Errorf("%v … %v: %+v", least, most, e)
	}
	if n := e.Aggregates[0]; *n.Target != max(1, least)/2 || *n.HalfWidth > *n.Target || *e.Groups[0].HalfWidth["maths"] < *e.Groups[2].HalfWidth["maths"] {
		t.Errorf("%+v %+v", n, e.Groups)
	}
	_, err = h.Estimate(ctx, peer, ask(of(first.ID)))
	refused(t, err, sandbox.CodeNotFound)
	_, err = h.Estimate(ctx, researcher, ask(of("rel_none")))
	refused(t, err, sandbox.CodeNotFound)
	mean, err := h.Submit(ctx, researcher, ask(fresh, sql("SELECT gender, AVG(math) AS m FROM kr_edu.students GROUP BY gender")))
	must(t, err)
	_, err = h.Estimate(ctx, researcher, ask(of(mean.ID)))
	if e := refused(t, err, sandbox.CodeInvalid); !strings.Contains(e.Public, "counted no rows") {
		t.Errorf("%+v", e)
	}
	none, err := h.Submit(ctx, researcher, ask(fresh, sql("SELECT gender, COUNT(*) AS n FROM kr_edu.students GROUP BY gender HAVING COUNT(*) > 1000000000")))
	must(t, err)
	_, err = h.Estimate(ctx, researcher, ask(of(none.ID)))
	if e := refused(t, err, sandbox.CodeInvalid); !strings.Contains(e.Public, "lists no group") {
		t.Errorf("%+v", e)
	}
}
