package sandbox_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"entrepot/access"
	"entrepot/privacy"
	"entrepot/sandbox"
	"entrepot/sandbox/audit"
	"entrepot/sandbox/query"
)

// The questions that others are parts of: public groups, of which HAVING shows none, and private ones.
const (
	public = "SELECT gender, math > 500 AS good, COUNT(*) AS n, AVG(math) AS maths, COUNT(DISTINCT student_id) AS people, SUM(math) AS total FROM kr_edu.students " +
		"WHERE math > 100 GROUP BY gender, good HAVING n > 1000000"
	private = "SELECT town, COUNT(*) AS n, SUM(math) AS total FROM kr_edu.students WHERE math > 100 GROUP BY town LIMIT 1"
)

const tenth = privacy.OneEpsilon / 10

// wide asks both questions, at ε = 0.9.
func (h *house) wide() (groups, towns sandbox.Answer) {
	h.t.Helper()
	loss := spend(privacy.Loss{Epsilon: 9 * tenth, Delta: 10 * nano})
	groups, err := h.Submit(ctx, researcher, ask(sql(public), loss))
	must(h.t, err)
	towns, err = h.Submit(ctx, researcher, ask(sql(private), loss))
	must(h.t, err)
	if len(groups.Rows) != 0 || len(towns.Rows) != 1 {
		h.t.Fatalf("%+v %+v", groups, towns)
	}
	return groups, towns
}

// narrow is a question at ε = 0.1.
func narrow(text string, change ...func(*sandbox.Query)) sandbox.Query {
	return ask(append([]func(*sandbox.Query){sql(text), spend(privacy.Loss{Epsilon: tenth, Delta: nano})}, change...)...)
}

// served fails the test unless a question is answered from a release: free, logged, without a look at a row.
func (h *house) served(from sandbox.Answer, who access.Principal, q sandbox.Query) sandbox.Answer {
	h.t.Helper()
	spent, before, calls := h.account().Spent, len(h.entries()), h.engine.calls.Load()
	a, err := h.Submit(ctx, who, q)
	must(h.t, err)
	if !a.Repeat || a.ID != from.ID || a.Query != from.Query || a.Log != from.Log || a.Charged == nil || len(a.Charged) != 0 || a.Loss != nil || !slices.Equal(a.Datasets, from.Datasets) {
		h.t.Errorf("%s\nis answered by %+v", q.SQL, a)
	}
	if len(h.entries()) != before+1 || h.account().Spent != spent || h.engine.calls.Load() != calls {
		h.t.Errorf("%s: a repeat is one entry and nothing else", q.SQL)
	}
	list := logged[audit.Repeat](h, audit.KindRepeat)
	if last := list[len(list)-1]; last.Release != from.ID || last.Project != q.Project || last.Query == from.Query || last.Query == "" {
		h.t.Errorf("it is logged as %+v", last)
	}
	return a
}

// shows fails the test unless an answer has these rows.
func (h *house) shows(a sandbox.Answer, want ...string) {
	h.t.Helper()
	var got []string
	for _, row := range a.Rows {
		line := ""
		for i, f := range row {
			if i > 0 {
				line += " "
			}
			line += fmt.Sprint(f.Value)
		}
		got = append(got, line)
	}
	if !slices.Equal(got, want) {
		h.t.Errorf("shows\n%q\nwant\n%q", got, want)
	}
}

// TestSubAnswers: parts of a release, and what orders or names it otherwise, are free.
func TestSubAnswers(t *testing.T) {
	h := newHouse(t)
	groups, towns := h.wide()
	for _, text := range []string{
		"SELECT gender, math > 500 AS good, COUNT(*) AS n FROM kr_edu.students WHERE math > 100 GROUP BY gender, good",
		"SELECT 500.0 < math AS b, gender AS a, COUNT(*) AS rows FROM kr_edu.students AS s WHERE NOT (s.math <= 1e2) GROUP BY 1, 2",
		"SELECT COUNT(*) AS n FROM kr_edu.students WHERE math > 100 GROUP BY gender, math > 500",
		"SELECT gender, AVG(math) AS a, COUNT(DISTINCT student_id) AS b FROM kr_edu.students WHERE math > 100 GROUP BY gender, math > 500 HAVING COUNT(*) > 5 ORDER BY SUM(math) DESC LIMIT 2 OFFSET 1",
		"SELECT gender, SUM(math) AS a FROM kr_edu.students WHERE math > 100 GROUP BY math > 500, gender HAVING gender = 'female'",
		"WITH high AS (SELECT student_id AS id, gender AS sex, math AS x FROM kr_edu.students WHERE math > 100) SELECT sex, x > 500 AS good, COUNT(DISTINCT high.id) AS n FROM high GROUP BY sex, good",
	} {
		a := h.served(groups, researcher, narrow(text))
		for _, c := range a.Columns {
			if c.Kind == "aggregate" && c.Scale <= 0 {
				t.Errorf("%s: %+v", text, c)
			}
		}
	}
	for _, text := range []string{
		"SELECT town, COUNT(*) AS n FROM kr_edu.students WHERE math > 100 GROUP BY town",
		"SELECT DISTINCT town FROM kr_edu.students WHERE math > 100",
		"SELECT SUM(math) AS s FROM kr_edu.students WHERE math > 100 GROUP BY town HAVING town = 'b' AND COUNT(*) > 0",
		"SELECT town, SUM(math) AS s FROM kr_edu.students WHERE math > 100 AND town <> 'a' GROUP BY town", // the bounds leave nothing out
		"SELECT town, SUM(math) AS s FROM kr_edu.students WHERE math > 100 AND town IN ('b', 'c') GROUP BY town ORDER BY s",
	} {
		h.served(towns, peer, narrow(text))
	}
	if n := len(logged[audit.Charge](h, audit.KindCharge)); n != 2 {
		t.Errorf("%d charges", n)
	}
}

// TestSubAnswerShowsTheRelease: values, noise and order are those of the release.
func TestSubAnswerShowsTheRelease(t *testing.T) {
	h := newHouse(t)
	groups, towns := h.wide()
	all := h.served(groups, researcher, narrow("SELECT gender, math > 500 AS good, COUNT(*) AS n, SUM(math) AS total FROM kr_edu.students WHERE math > 100 GROUP BY gender, good"))
	value := map[string][]string{} // n and total by group, with their intervals
	for _, row := range all.Rows {
		key := fmt.Sprint(row[0].Value, " ", row[1].Value)
		value[key] = []string{fmt.Sprint(row[2].Value, " ", row[3].Value, " ", row[4].Value), fmt.Sprint(row[5].Value, " ", row[6].Value, " ", row[7].Value)}
	}
	if order := slices.Sorted(maps.Keys(value)); !slices.Equal(order, []string{"female false", "female true", "male false", "male true"}) {
		t.Fatalf("%v", order)
	}
	if all.Columns[2].Scale != groups.Columns[2].Scale || all.Columns[3].Scale != groups.Columns[5].Scale || all.Columns[2].Mechanism != "laplace" {
		t.Errorf("%+v of %+v", all.Columns, groups.Columns)
	}
	// Keys in another order: groups are listed in it.
	h.shows(h.served(groups, researcher, narrow("SELECT math > 500 AS good, gender, COUNT(*) AS n FROM kr_edu.students WHERE math > 100 GROUP BY good, gender")),
		"false female "+value["female false"][0], "false male "+value["male false"][0], "true female "+value["female true"][0], "true male "+value["male true"][0])
	h.shows(h.served(groups, researcher, narrow("SELECT SUM(math) AS t, gender FROM kr_edu.students WHERE math > 100 GROUP BY math > 500, gender HAVING gender = 'male'")),
		value["male false"][1]+" male", value["male true"][1]+" male")
	var town []string
	for _, tail := range []string{" GROUP BY town HAVING town = 'a'", " GROUP BY town HAVING town = 'b'"} {
		a := h.served(towns, researcher, narrow("SELECT town, COUNT(*) AS n FROM kr_edu.students WHERE math > 100"+tail))
		town = append(town, fmt.Sprint(a.Rows[0][0].Value, " ", a.Rows[0][1].Value, " ", a.Rows[0][2].Value, " ", a.Rows[0][3].Value))
	}
	if first := fmt.Sprint(towns.Rows[0][1].Value); town[0][2:2+len(first)] != first {
		t.Errorf("%v of %v", town, towns.Rows)
	}
	h.shows(h.served(towns, researcher, narrow("SELECT town, COUNT(*) AS n FROM kr_edu.students WHERE math > 100 GROUP BY town ORDER BY town DESC")), town[1], town[0])
	h.shows(h.served(towns, researcher, narrow("SELECT town, COUNT(*) AS n FROM kr_edu.students WHERE math > 100 AND town > 'a' GROUP BY town")), town[1])
	h.shows(h.served(towns, researcher, narrow("SELECT town, COUNT(*) AS n FROM kr_edu.students WHERE math > 100 GROUP BY town ORDER BY town LIMIT 5 OFFSET 1")), town[1])
}

// TestNoSubAnswer: what a release does not hold, or not as exactly, is charged.
func TestNoSubAnswer(t *testing.T) {
	const counts = "SELECT gender, math > 500 AS good, COUNT(*) AS n FROM kr_edu.students WHERE math > 100 GROUP BY gender, good"
	const byTown = "SELECT town, COUNT(*) AS n FROM kr_edu.students WHERE math > 100 GROUP BY town"
	loss := func(epsilon privacy.Epsilon, delta privacy.Delta) func(*sandbox.Query) {
		return spend(privacy.Loss{Epsilon: epsilon, Delta: delta})
	}
	for _, test := range []struct {
		name   string
		q      sandbox.Query
		before func(h *house)
	}{
		{"an aggregate that was not asked", narrow("SELECT gender, math > 500 AS good, VARIANCE(math) AS v FROM kr_edu.students WHERE math > 100 GROUP BY gender, good"), nil},
		{"other rows of an aggregate", narrow("SELECT gender, math > 500 AS good, COUNT(*) FILTER (WHERE math > 700) AS n FROM kr_edu.students WHERE math > 100 GROUP BY gender, good"), nil},
		{"other bounds of an argument", narrow("SELECT gender, math > 500 AS good, SUM(CLAMP(math, 0, 900)) AS t FROM kr_edu.students WHERE math > 100 GROUP BY gender, good"), nil},
		{"fewer keys", narrow("SELECT gender, COUNT(*) AS n FROM kr_edu.students WHERE math > 100 GROUP BY gender"), nil},
		{"more keys", narrow("SELECT gender, COUNT(*) AS n FROM kr_edu.students WHERE math > 100 GROUP BY gender, math > 500, math > 600"), nil},
		{"another WHERE", narrow("SELECT gender, math > 500 AS good, COUNT(*) AS n FROM kr_edu.students WHERE math > 101 GROUP BY gender, good"), nil},
		{"a narrower WHERE", narrow("SELECT gender, math > 500 AS good, COUNT(*) AS n FROM kr_edu.students WHERE math > 100 AND math < 900 GROUP BY gender, good"), nil},
		{"WHERE on a public key, whose groups stay listed", narrow("SELECT gender, math > 500 AS good, COUNT(*) AS n FROM kr_edu.students WHERE math > 100 AND gender = 'female' GROUP BY gender, good"), nil},
		{"fewer groups per unit", narrow(counts, func(q *sandbox.Query) { q.Bounds.MaxPartitions = 1 }), nil},
		{"fewer rows per unit", narrow(counts, func(q *sandbox.Query) { q.Bounds.MaxRowsPerPartition = 1 }), nil},
		{"more exactly", ask(sql(counts), loss(half, 0)), nil}, // all of it for one count, where a fifth of 0.9 went
		{"fresh", narrow(counts, fresh), nil},
		{"another version", narrow(counts), func(h *house) { h.register(students, table) }},
		{"another pre-threshold", narrow(byTown), func(h *house) { h.putPolicy(students, `{"pre_threshold": 5, `+policyDoc[1:]) }},
		{"more readily selected", ask(sql(byTown), loss(tenth, 11*nano)), nil},
		{"WHERE on a key, where bounds choose among groups", narrow("SELECT town, COUNT(*) AS n FROM kr_edu.students WHERE math > 100 AND town = 'a' GROUP BY town",
			func(q *sandbox.Query) { q.Bounds.MaxPartitions = 1 }), func(h *house) {
			_, err := h.Submit(ctx, researcher, ask(sql(byTown), loss(half, 10*nano), func(q *sandbox.Query) { q.Bounds.MaxPartitions = 1 }))
			must(h.t, err)
		}},
		{"a public key in place of a private one", narrow("SELECT CASE WHEN town = 'a' THEN 'a' ELSE 'b' END AS t, COUNT(*) AS n FROM kr_edu.students WHERE math > 100 GROUP BY t"), nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := newHouse(t)
			h.wide()
			if test.before != nil {
				test.before(h)
			}
			charges := len(logged[audit.Charge](h, audit.KindCharge))
			a, err := h.Submit(ctx, researcher, test.q)
			must(t, err)
			if a.Repeat || len(a.Charged) != 1 {
				t.Errorf("%+v", a)
			}
			if after := len(logged[audit.Charge](h, audit.KindCharge)); after != charges+1 || len(logged[audit.Repeat](h, audit.KindRepeat)) != 0 {
				t.Errorf("%d charges after %d", after, charges)
			}
		})
	}
}

// TestSubAnswerOfToday: whose decision of today denies gets the denial, whatever was released.
func TestSubAnswerOfToday(t *testing.T) {
	h := newHouse(t)
	groups, _ := h.wide()
	q := narrow("SELECT gender, COUNT(*) AS n FROM kr_edu.students WHERE math > 100 GROUP BY gender, math > 500")
	h.putPolicy(students, `{"rules": [
		{"id": "cheap", "effect": "allow", "organisations": ["lab_sg"], "roles": ["researcher"], "jurisdictions": ["*"], "purposes": ["*"],
			"actions": ["aggregate"], "max_epsilon_per_query": "0.09"}]}`)
	for _, p := range []access.Principal{researcher, peer} {
		a, err := h.Submit(ctx, p, q)
		refused(t, err, sandbox.CodeDenied)
		if a.Rows != nil || a.ID != "" {
			t.Errorf("%s is denied and answered", p.ID)
		}
	}
	h.unchanged(func() {
		_, err := h.Submit(ctx, foreigner, q)
		refused(t, err, sandbox.CodeNotFound)
	})
	// What it asks is allowed at a smaller ε, and is answered as exactly as it was released.
	h.served(groups, peer, narrow(q.SQL, func(q *sandbox.Query) { q.Loss.Epsilon = tenth / 2 }))
}

// TestMostExactRelease: of several releases the most exact one answers, the earliest of those.
func TestMostExactRelease(t *testing.T) {
	h := newHouse(t)
	const counts = "SELECT gender, COUNT(*) AS n FROM kr_edu.students GROUP BY gender"
	const both = "SELECT gender, COUNT(*) AS n, SUM(math) AS s FROM kr_edu.students GROUP BY gender"
	at := func(text string, epsilon privacy.Epsilon) sandbox.Answer {
		t.Helper()
		a, err := h.Submit(ctx, researcher, ask(fresh, sql(text), spend(privacy.Loss{Epsilon: epsilon})))
		must(t, err)
		return a
	}
	at(counts, 2*tenth)
	best := at(counts, 5*tenth)
	at(counts, 5*tenth)
	sums := at(both, 9*tenth) // 0.45 for the count
	at(both, 6*tenth)
	h.served(best, researcher, narrow(counts))
	h.served(best, peer, ask(sql(counts), spend(privacy.Loss{Epsilon: 5 * tenth})))
	h.served(sums, researcher, narrow(both))
	h.served(sums, researcher, narrow("SELECT SUM(math) AS s FROM kr_edu.students GROUP BY gender"))
	h.reopen()
	h.served(best, researcher, narrow(counts))
	better := at(counts, 6*tenth)
	h.served(better, researcher, narrow(counts))
}

// TestManyReleases: a release is found among many less exact ones.
func TestManyReleases(t *testing.T) {
	h := newHouse(t)
	q := func(epsilon privacy.Epsilon) sandbox.Query {
		return ask(sql(question), spend(privacy.Loss{Epsilon: epsilon}))
	}
	best, err := h.Submit(ctx, researcher, q(9*tenth))
	must(t, err)
	for i := range 80 {
		cheap := q(tenth/100 + privacy.Epsilon(i))
		cheap.Fresh = true
		_, err := h.Submit(ctx, researcher, cheap)
		must(t, err)
	}
	h.served(best, peer, q(8*tenth))
}

// TestSubAnswerOfACrashedQuestion: what a crash came between is completed under its key, and answers others.
func TestSubAnswerOfACrashedQuestion(t *testing.T) {
	h := newHouse(t)
	crashing := h.serve(func(p *sandbox.Parts) {
		p.Ledger = &books{Ledger: h.store, release: func(string, string, func(int64) ([]byte, error)) ([]byte, error) { return nil, errDisk }}
	})
	_, err := crashing.Submit(ctx, researcher, ask(key("k")))
	refused(t, err, sandbox.CodeQueryFailed)
	q := narrow("SELECT COUNT(*) AS n FROM kr_edu.students GROUP BY gender")
	h.reopen()
	a, err := h.Submit(ctx, researcher, ask(key("k")))
	must(t, err)
	h.served(a, peer, q)
	h.tally(1, 1, 0)
}

// TestSubAnswerUnderAKey: a key gives the bytes that it gave for ever, and one entry: across restarts, when a better
// release came, when the policy denies and when the versions are others.
func TestSubAnswerUnderAKey(t *testing.T) {
	h := newHouse(t)
	groups, _ := h.wide()
	q := narrow("SELECT gender, COUNT(*) AS n FROM kr_edu.students WHERE math > 100 GROUP BY gender, math > 500 ORDER BY n LIMIT 3", key("k"))
	first := h.served(groups, peer, q)
	same := func(times int) {
		t.Helper()
		h.unchanged(func() {
			for range times {
				a, err := h.Submit(ctx, peer, q)
				if err != nil || text(t, a) != text(t, first) {
					t.Fatalf("%+v %v\nwas first %+v", a, err, first)
				}
			}
		})
	}
	same(25)
	h.reopen()
	same(25)
	_, err := h.Submit(ctx, researcher, ask(fresh, sql("SELECT COUNT(*) AS n FROM kr_edu.students WHERE math > 100 GROUP BY gender, math > 500"), spend(privacy.Loss{Epsilon: privacy.OneEpsilon})))
	must(t, err)
	h.Service = h.serve() // another server on the same store
	same(25)
	h.register(students, table)
	h.putPolicy(students, `{}`)
	h.reopen()
	same(25)
	h.unchanged(func() {
		other := q
		other.Body = []byte("another")
		_, err := h.Submit(ctx, peer, other)
		refused(t, err, sandbox.CodeConflict)
	})
}

// TestUnreadableRelease: what cannot be read answers nothing, and costs nothing.
func TestUnreadableRelease(t *testing.T) {
	for name, damage := range map[string]func(q *sandbox.Question){
		"noise":   func(q *sandbox.Question) { q.Noise = []byte("{") },
		"release": func(q *sandbox.Question) { q.Answer = q.Answer[:len(q.Answer)-1] },
		"columns": func(q *sandbox.Question) { q.Noise = []byte(`{"keys":null,"aggregates":null,"precision":{}}`) },
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			_, err := h.Submit(ctx, researcher, ask())
			must(t, err)
			damaged := h.serve(func(p *sandbox.Parts) { p.Questions = damagedShelf{h.store, damage} })
			before := h.account().Spent
			a, err := damaged.Submit(ctx, researcher, ask())
			if name == "columns" { // it holds nothing that is asked
				must(t, err)
				if a.Repeat || len(a.Charged) != 1 {
					t.Errorf("%+v", a)
				}
				return
			}
			if err == nil || a.Rows != nil || h.account().Spent != before {
				t.Errorf("%+v %v", a, err)
			}
		})
	}
}

// damagedShelf is a store of questions that were damaged.
type damagedShelf struct {
	sandbox.Questions
	damage func(q *sandbox.Question)
}

func (s damagedShelf) Question(ctx context.Context, id string) (sandbox.Question, error) {
	q, err := s.Questions.Question(ctx, id)
	if err == nil {
		s.damage(&q)
	}
	return q, err
}

func (s damagedShelf) ByRepeat(ctx context.Context, repeat string, limit int) ([]sandbox.Question, error) {
	list, err := s.Questions.ByRepeat(ctx, repeat, limit)
	for i := range list {
		if len(list[i].Answer) > 0 || len(list[i].Plan) > 0 {
			return nil, errors.New("it lists answers")
		}
		list[i].Answer = []byte{0}
		s.damage(&list[i])
	}
	return list, err
}

// TestRepeatNeedsNoEngine: a repeat looks at no table, not even to check the question again.
func TestRepeatNeedsNoEngine(t *testing.T) {
	h := newHouse(t)
	groups, _ := h.wide()
	checks := h.engine.checks.Load()
	h.engine.check = func(query.Plan) error { return errors.New("no memory") }
	h.served(groups, peer, narrow("SELECT gender, COUNT(*) AS n FROM kr_edu.students WHERE math > 100 GROUP BY gender, math > 500"))
	if n := h.engine.checks.Load(); n != checks {
		t.Errorf("%d checks after %d", n, checks)
	}
}
