package sandbox_test

import (
	"reflect"
	"strings"
	"testing"

	"entrepot/privacy"
	"entrepot/sandbox"
	"entrepot/sandbox/audit"
)

func questions() []sandbox.Query {
	return []sandbox.Query{
		ask(), ask(sql(filtered)), ask(sql(respelled)),
		ask(func(q *sandbox.Query) { q.Loss.Epsilon = privacy.OneEpsilon / 10 }),
		ask(func(q *sandbox.Query) { q.Bounds.MaxPartitions, q.Bounds.MaxRowsPerPartition = 1, 1 }),
		ask(sql("SELECT COUNT(*), SUM(math) FROM kr_edu.students")),
		ask(sql("SELECT COUNT(*) AS n FROM kr_edu.students WHERE math > 1000 AND math < 0")),
		ask(sql("SELECT town, COUNT(*) AS n, SUM(math) FROM kr_edu.students GROUP BY town HAVING COUNT(*) > 10"),
			func(q *sandbox.Query) { q.Loss.Delta = privacy.OneDelta / 1e8 }),
	}
}

// group states the rows of a group.
func group(rows int64) func(*sandbox.Query) {
	return func(q *sandbox.Query) { q.Group = sandbox.Group{Rows: rows} }
}

// TestPriceIsBlind: estimates and charges are the same whatever the rows are, or whether there are any.
func TestPriceIsBlind(t *testing.T) {
	few, many := newHouse(t), newHouse(t)
	var rows strings.Builder
	rows.WriteString("student_id,gender,town,math\n")
	for i := range 500 {
		rows.WriteString("s" + strings.Repeat("x", i%50) + ",female,c,1e9\n")
	}
	none := newHouse(t)
	none.putDataset("exams", studentsDoc) // declared, without rows
	none.putPolicy("kr_edu.exams", policyDoc)
	few.register(students, table)
	many.register(students, rows.String())
	for i, q := range questions() {
		few.unchanged(func() {
			a, err := few.Estimate(ctx, researcher, q)
			must(t, err)
			b, err := many.Estimate(ctx, researcher, q)
			must(t, err)
			if !reflect.DeepEqual(a, b) {
				t.Errorf("question %d: %+v\nis not %+v", i, a, b)
			}
			empty := q
			empty.SQL = strings.Replace(q.SQL, "students", "exams", 1)
			c, err := none.Estimate(ctx, researcher, empty)
			must(t, err)
			if !reflect.DeepEqual(a.Charged, c.Charged) || !reflect.DeepEqual(a.Aggregates, c.Aggregates) {
				t.Errorf("question %d without rows: %+v\nis not %+v", i, c, a)
			}
		})
		for _, h := range []*house{few, many} {
			q.Fresh = true
			estimate, err := h.Estimate(ctx, researcher, q)
			must(t, err)
			answer, err := h.Submit(ctx, researcher, q)
			must(t, err)
			if len(answer.Charged) != 1 || answer.Charged[0] != estimate.Charged[0].Charge {
				t.Errorf("question %d is charged %+v, the estimate was %+v", i, answer.Charged, estimate.Charged)
			}
		}
	}
	a, b := logged[audit.Charge](few, audit.KindCharge), logged[audit.Charge](many, audit.KindCharge)
	if len(a) != len(questions()) || !reflect.DeepEqual(a, b) {
		t.Errorf("%+v\nis not\n%+v", a, b)
	}
}

// TestEstimateCostsNothing: no entry, no charge, no call of the engine.
func TestEstimateCostsNothing(t *testing.T) {
	h := newHouse(t)
	h.unchanged(func() {
		for _, q := range questions() {
			_, err := h.Estimate(ctx, researcher, q)
			must(t, err)
		}
	})
	if n := h.engine.calls.Load() + h.engine.checks.Load(); n != 0 {
		t.Errorf("the engine was called %d times", n)
	}
}

// TestEstimateTells what a caller decides by.
func TestEstimateTells(t *testing.T) {
	h := newHouse(t)
	e, err := h.Estimate(ctx, researcher, ask())
	must(t, err)
	a, err := h.Submit(ctx, researcher, ask())
	must(t, err)
	if !e.Decision.Allowed || !e.Charged[0].Admitted || e.Partitions != "public" || e.GroupSize != 1000 || e.Confidence != privacy.Confidence {
		t.Errorf("%+v", e)
	}
	if e.Question != logged[audit.Charge](h, audit.KindCharge)[0].Question {
		t.Errorf("estimated is %s", e.Question)
	}
	for i, c := range a.Columns[1:] {
		if got := e.Aggregates[i]; got.Name != c.Name || got.Mechanism != c.Mechanism || got.Scale != c.Scale || got.Scale <= 0 || *got.HalfWidth <= 0 {
			t.Errorf("%+v is estimated as %+v", c, got)
		}
	}
	towns := questions()[7]
	if e, err = h.Estimate(ctx, researcher, towns); err != nil || e.Partitions != "selected" {
		t.Errorf("%+v %v", e, err)
	}
	// A larger group has a narrower mean, at the same price.
	small, err := h.Estimate(ctx, researcher, ask(group(100)))
	must(t, err)
	large, err := h.Estimate(ctx, researcher, ask(group(10_000)))
	must(t, err)
	if *small.Aggregates[1].HalfWidth <= *large.Aggregates[1].HalfWidth || small.Charged[0].Charge != large.Charged[0].Charge {
		t.Errorf("%+v\n%+v", small, large)
	}
}

// TestEstimateOfARefusal: it says that the question would be denied, or not admitted.
func TestEstimateOfARefusal(t *testing.T) {
	h := newHouse(t)
	e, err := h.Estimate(ctx, researcher, ask(func(q *sandbox.Query) { q.Loss.Epsilon = 2 * privacy.OneEpsilon }))
	if err != nil || e.Decision.Allowed || e.Decision.Reason == "" || !e.Charged[0].Admitted {
		t.Errorf("%+v %v", e, err)
	}
	h.engine.collect = faults()[0].collect
	for range 3 {
		_, err := h.Submit(ctx, researcher, ask())
		refused(t, err, sandbox.CodeQueryFailed)
	}
	e, err = h.Estimate(ctx, researcher, ask())
	if err != nil || !e.Decision.Allowed || e.Charged[0].Admitted {
		t.Errorf("frozen: %+v %v", e, err)
	}
}

// TestEstimateKnowsRepeats: what was answered costs nothing, as long as it is allowed.
func TestEstimateKnowsRepeats(t *testing.T) {
	h := newHouse(t)
	said := func() bool {
		t.Helper()
		e, err := h.Estimate(ctx, researcher, ask())
		must(t, err)
		return e.Repeat
	}
	if said() {
		t.Error("nothing was answered yet")
	}
	_, err := h.Submit(ctx, researcher, ask())
	must(t, err)
	if !said() {
		t.Error("it was answered")
	}
	h.putPolicy(students, denyDoc)
	if said() {
		t.Error("it is denied now")
	}
}
