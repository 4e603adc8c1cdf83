package querytest

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"entrepot/sandbox/query"
)

// TestGenerator shows that most random questions plan, that together they use all that a plan can
// hold, and that they can be evaluated.
func TestGenerator(t *testing.T) {
	const seed, schemas, perSchema = 20261201, 60, 40
	r := rand.New(rand.NewPCG(seed, 1))
	tried, planned := 0, 0
	used, refused := map[string]int{}, map[string]int{}
	for range schemas {
		schema, err := Schema(r)
		if err != nil {
			t.Fatal(err)
		}
		g := NewGenerator(r, schema)
		tables := Fill(r, schema, 4, r.IntN(2))
		for range perSchema {
			sql := g.Question()
			tried++
			p, err := query.New(sql, schema, query.Bounds{})
			if err != nil {
				refused[err.Error()]++
				t.Logf("%v\n\t%s", err, sql)
				continue
			}
			planned++
			note(p.Parts(), used)
			Evaluate(p.Parts(), tables)
		}
	}
	for _, reason := range slices.SortedFunc(maps.Keys(refused), func(a, b string) int { return cmp.Compare(refused[b], refused[a]) }) {
		t.Logf("%d times: %s", refused[reason], reason)
	}
	t.Logf("%d of %d planned; %v", planned, tried, used)
	if planned*10 < tried*9 {
		t.Errorf("only %d of %d questions planned", planned, tried)
	}
	for _, what := range everything() {
		if used[what] == 0 {
			t.Errorf("no question uses %s", what)
		}
	}
}

// everything is what plans are made of, but for what stands over released values.
func everything() []string {
	list := []string{"relation scan", "relation select", "relation per_unit", "relation join", "relation union", "outer join", "public join", "join with keys"}
	for _, k := range []query.FeatureKind{query.FeatureCount, query.FeatureDistinct, query.FeatureAny, query.FeatureAll, query.FeatureMin, query.FeatureMax,
		query.FeatureSum, query.FeatureAvg, query.FeatureFirst, query.FeatureLast} {
		list = append(list, "feature "+string(k))
	}
	for _, k := range []string{"count", "count_units", "count_distinct", "sum", "mean", "variance", "quantile"} {
		list = append(list, "aggregate "+k)
	}
	for _, op := range []query.Op{query.OpColumn, query.OpLiteral, query.OpToNumber, query.OpAdd, query.OpSub, query.OpMul, query.OpDiv, query.OpNeg, query.OpAbs, query.OpRound,
		query.OpFloor, query.OpCeil, query.OpClamp, query.OpEq, query.OpNe, query.OpLt, query.OpLe, query.OpGt, query.OpGe, query.OpAnd, query.OpOr, query.OpNot, query.OpIsNull,
		query.OpIn, query.OpLike, query.OpCase, query.OpCoalesce, query.OpNullIf, query.OpLower, query.OpUpper, query.OpTrim, query.OpLength, query.OpYear, query.OpQuarter,
		query.OpMonth, query.OpDay, query.OpHour, query.OpMinute, query.OpDow, query.OpWeek, query.OpSecond, query.OpDateTrunc, query.OpDateAdd, query.OpDays, query.OpSeconds,
		query.OpToDate, query.OpToTime, query.OpBucket, query.OpParseNumber, query.OpParseDate} {
		list = append(list, "op "+string(op))
	}
	return append(list, "public keys", "private keys", "no aggregate", "two datasets", "two unit spaces")
}

// note counts what a plan is made of.
func note(p query.Parts, used map[string]int) {
	noteRelation(p.From, used)
	noteExpr(p.Filter, used)
	for _, k := range p.Keys {
		noteExpr(&k.Expr, used)
	}
	for _, a := range p.Arguments {
		noteExpr(&a.Expr, used)
	}
	for _, a := range p.Aggregates {
		used["aggregate "+string(a.Kind)]++
	}
	for what, is := range map[string]bool{
		"no aggregate": len(p.Aggregates) == 0, "public keys": p.PublicKeys != nil, "private keys": p.PublicKeys == nil,
		"two datasets": len(p.Datasets) > 1, "two unit spaces": len(p.From.Units) > 1,
	} {
		if is {
			used[what]++
		}
	}
}

func noteRelation(r query.Relation, used map[string]int) {
	used["relation "+string(r.Op)]++
	noteExpr(r.Filter, used)
	for _, c := range r.Columns {
		noteExpr(&c.Expr, used)
	}
	for _, f := range r.Features {
		used["feature "+string(f.Kind)]++
		noteExpr(f.Argument, used)
	}
	if j := r.Join; j != nil {
		for what, is := range map[string]bool{"outer join": j.Outer, "public join": j.Public, "join with keys": len(j.Keys) > 0} {
			if is {
				used[what]++
			}
		}
	}
	for _, in := range r.Inputs {
		noteRelation(in, used)
	}
}

func noteExpr(e *query.Expr, used map[string]int) {
	if e == nil {
		return
	}
	used["op "+string(e.Op)]++
	for _, a := range e.Args {
		noteExpr(&a, used)
	}
}

// TestWorlds shows that a question about many worlds at once answers it for each of them.
func TestWorlds(t *testing.T) {
	const seed, schemas, perSchema, worlds = 20261202, 15, 20, 4
	r := rand.New(rand.NewPCG(seed, 1))
	compared := 0
	for range schemas {
		schema, err := Schema(r)
		if err != nil {
			t.Fatal(err)
		}
		g := NewGenerator(r, schema)
		var each []Tables
		for range worlds {
			each = append(each, Fill(r, schema, 4, 1).WithPublic(each))
		}
		all := Merge(each)
		for range perSchema {
			plan, sql, _, err := g.Plan()
			if err != nil {
				continue
			}
			p := plan.Parts()
			split, err := Split(Evaluate(Worlds(p, worlds), all))
			if err != nil {
				t.Fatal(err)
			}
			for i, world := range each {
				compared++
				if diff := Diff(Evaluate(p, world), split[i]); diff != "" {
					t.Fatalf("%s, world %d:\n%s", sql, i, diff)
				}
			}
		}
	}
	if compared < 500 {
		t.Errorf("only %d worlds compared", compared)
	}
}
