package engine

import (
	"errors"
	"testing"
	"time"

	"entrepot/datasets"
	"entrepot/privacy"
	"entrepot/sandbox/query"
)

// column is a reference to a field that holds values.
func column(typ query.Type, name string) query.Expr {
	return query.Expr{Op: query.OpColumn, Type: typ, Column: name}
}

// measure is a reference to a field that holds stored steps.
func measure(name string, num, den int64) query.Expr {
	return query.Expr{Op: query.OpColumn, Type: query.Number, Column: name, Num: num, Den: den}
}

// isNull tests an expression of any type.
func isNull(e query.Expr) *query.Expr {
	return &query.Expr{Op: query.OpIsNull, Type: query.Bool, Args: []query.Expr{e}}
}

// scan is the relation of these columns of org.people.
func scan(d datasets.Declaration, names ...string) query.Relation {
	return scanOf("org.people", d, names...)
}

// scanOf is the relation of these columns of a dataset.
func scanOf(id string, d datasets.Declaration, names ...string) query.Relation {
	r := query.Relation{Op: query.Scan, Dataset: id, Fields: []query.Field{}}
	if !d.Public {
		r.Units, r.MaxRank = []query.UnitRows{{Space: d.UnitSpace, Rows: d.MaxRowsPerUnit}}, d.MaxRowsPerUnit
	}
	for _, name := range names {
		c, _ := d.Column(name)
		f := query.Field{Name: name, Nullable: c.Nullable}
		if c.Role == datasets.Measure {
			f.Type = query.Number
			_, _, f.Num, f.Den, _ = c.Grid()
		} else {
			f.Type = map[datasets.Type]query.Type{
				datasets.String: query.Text, datasets.Int64: query.Int, datasets.Bool: query.Bool, datasets.Date: query.Date, datasets.Timestamp: query.Timestamp,
			}[c.Type]
		}
		r.Fields = append(r.Fields, f)
	}
	return r
}

// TestBrokenPlans shows that what a planner would never make is refused before any SQL runs.
func TestBrokenPlans(t *testing.T) {
	d := declare(t, 3)
	tables := empty(d)
	one := query.Expr{Op: query.OpLiteral, Type: query.Number, Number: 1}
	base := func() query.Parts {
		return query.Parts{
			From:         scan(d, "flag", "amount", "tag"),
			Keys:         []query.Key{{Name: "flag", Expr: column(query.Bool, "flag"), Type: datasets.Bool, Domain: []any{false, true}}},
			PublicKeys:   []string{"[false]", "[true]"},
			Arguments:    []query.Argument{{Expr: one, Lower: 0, Upper: 1, Step: privacy.Step{Num: 1, Den: 1}}},
			Aggregates:   []query.Aggregate{{Kind: privacy.Sum, Argument: 0}},
			Contribution: privacy.Contribution{MaxPartitions: 1, MaxRowsPerPartition: 1, MaxRows: 3},
		}
	}
	if _, err := generate(base(), tables, 10); err != nil {
		t.Fatal(err)
	}
	deep := one
	for range maxDepth + 1 {
		deep = query.Expr{Op: query.OpNeg, Type: query.Number, Args: []query.Expr{deep}}
	}
	wide := one
	for range 60 {
		wide = query.Expr{Op: query.OpDiv, Type: query.Number, Args: []query.Expr{one, wide}}
	}
	inf := one
	inf.Number = inf.Number / (inf.Number - 1)
	for name, breaks := range map[string]func(*query.Parts){
		"no L0":                    func(p *query.Parts) { p.Contribution.MaxPartitions = 0 },
		"no r":                     func(p *query.Parts) { p.Contribution.MaxRowsPerPartition = 0 },
		"no R":                     func(p *query.Parts) { p.Contribution.MaxRows = -1 },
		"argument 1":               func(p *query.Parts) { p.Aggregates[0].Argument = 1 },
		"unbounded sum":            func(p *query.Parts) { p.Arguments[0].SumUnused = true },
		"bounds crossed":           func(p *query.Parts) { p.Arguments[0].Lower = 2 },
		"bounds too large":         func(p *query.Parts) { p.Arguments[0].Upper = 1 << 53 },
		"no step":                  func(p *query.Parts) { p.Arguments[0].Step = privacy.Step{} },
		"a text sum":               func(p *query.Parts) { p.Arguments[0].Expr.Type = query.Text },
		"a key as measure":         func(p *query.Parts) { p.Arguments[0].Column = "flag" },
		"the privacy ID":           func(p *query.Parts) { p.From.Fields[0] = query.Field{Name: "id", Type: query.Text} },
		"the unit":                 func(p *query.Parts) { p.Keys[0].Expr = column(query.Text, datasets.UnitColumn) },
		"a column as another type": func(p *query.Parts) { p.From.Fields[0].Type = query.Text },
		"a measure in other steps": func(p *query.Parts) { p.From.Fields[1].Den = 10 },
		"no relation":              func(p *query.Parts) { p.From = query.Relation{} },
		"an unknown dataset":       func(p *query.Parts) { p.From.Dataset = "org.others" },
		"more rows than counted":   func(p *query.Parts) { p.From.Units[0].Rows++; p.From.MaxRank++ },
		"another unit space":       func(p *query.Parts) { p.From.Units[0].Space = "org/firm" },
		"nobody's rows":            func(p *query.Parts) { p.From.Units = nil },
		"wide squares": func(p *query.Parts) {
			p.Arguments[0].Upper, p.Aggregates[0].Kind = 1<<32, privacy.Variance
		},
		"an unknown aggregate":   func(p *query.Parts) { p.Aggregates[0].Kind = "product" },
		"a sum without argument": func(p *query.Parts) { p.Aggregates[0].Argument = privacy.NoArgument },
		"a crossed bucket": func(p *query.Parts) {
			p.Arguments[0].Expr = query.Expr{Op: query.OpBucket, Type: query.Number, Args: []query.Expr{one, one, one}}
		},
		"an unknown unit of time": func(p *query.Parts) {
			p.Filter = isNull(query.Expr{Op: query.OpDateTrunc, Type: query.Date, Text: "eon'", Args: []query.Expr{{Op: query.OpLiteral, Type: query.Date, Null: true}}})
		},
		"hours of a date": func(p *query.Parts) {
			p.Filter = isNull(query.Expr{Op: query.OpDateTrunc, Type: query.Date, Text: "hour", Args: []query.Expr{{Op: query.OpLiteral, Type: query.Date, Null: true}}})
		},
		"hours after a date": func(p *query.Parts) {
			p.Filter = isNull(query.Expr{Op: query.OpDateAdd, Type: query.Date, Text: "hour", Int: 1, Args: []query.Expr{{Op: query.OpLiteral, Type: query.Date, Null: true}}})
		},
		"days between timestamps": func(p *query.Parts) {
			at := query.Expr{Op: query.OpLiteral, Type: query.Timestamp, Null: true}
			p.Filter = isNull(query.Expr{Op: query.OpDays, Type: query.Number, Args: []query.Expr{at, at}})
		},
		"a number key as text": func(p *query.Parts) { p.Keys[0].Expr = one },
		"a key's type":         func(p *query.Parts) { p.Keys[0].Type = datasets.String },
		"a domain's type":      func(p *query.Parts) { p.Keys[0].Domain[0] = "false" },
		"no domain":            func(p *query.Parts) { p.Keys[0].Domain = nil },
		"a number filter":      func(p *query.Parts) { p.Filter = &one },
		"an infinite value":    func(p *query.Parts) { p.Arguments[0].Expr = inf },
		"too deep":             func(p *query.Parts) { p.Arguments[0].Expr = deep },
		"too long":             func(p *query.Parts) { p.Arguments[0].Expr = wide },
		"a column unknown": func(p *query.Parts) {
			p.Arguments[0].Expr = query.Expr{Op: query.OpColumn, Type: query.Number, Column: "x"}
		},
		"a released column": func(p *query.Parts) { p.Arguments[0].Expr = query.Expr{Op: query.OpReleased, Type: query.Number} },
		"an unknown op": func(p *query.Parts) {
			p.Arguments[0].Expr = query.Expr{Op: "sqrt", Type: query.Number, Args: []query.Expr{one}}
		},
		"a missing operand": func(p *query.Parts) {
			p.Arguments[0].Expr = query.Expr{Op: query.OpAdd, Type: query.Number, Args: []query.Expr{one}}
		},
		"a clamp by a column": func(p *query.Parts) {
			p.Arguments[0].Expr = query.Expr{Op: query.OpClamp, Type: query.Number, Args: []query.Expr{one, {Op: query.OpColumn, Type: query.Number, Column: "amount", Num: 1, Den: 1}, one}}
		},
		"a crossed clamp": func(p *query.Parts) {
			p.Arguments[0].Expr = query.Expr{Op: query.OpClamp, Type: query.Number, Args: []query.Expr{one, one, {Op: query.OpLiteral, Type: query.Number}}}
		},
		"a NUL": func(p *query.Parts) {
			p.Filter = &query.Expr{Op: query.OpLike, Type: query.Bool, Text: "\x00", Args: []query.Expr{column(query.Text, "tag")}}
		},
	} {
		p := base()
		breaks(&p)
		if _, err := generate(p, tables, 10); !errors.Is(err, ErrPlan) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestBrokenRelations shows that relations which own up to less than a unit may have in them, or which
// could multiply its rows, are refused.
func TestBrokenRelations(t *testing.T) {
	tables := map[string]datasets.Table{}
	for id, table := range handTables(t) {
		tables[id] = datasets.Table{Declaration: table.Declaration}
	}
	scanned := func(id string, names ...string) query.Relation { return scanOf(id, tables[id].Declaration, names...) }
	text := []query.Field{{Name: "region", Type: query.Text}}
	select1 := func() query.Relation {
		return query.Relation{Op: query.Select, Inputs: []query.Relation{scanned("org.visits", "region")}, Units: []query.UnitRows{{Space: "org/student", Rows: 3}}, MaxRank: 3,
			Columns: []query.Computed{{Name: "region", Expr: column(query.Text, "region")}}, Fields: text}
	}
	perUnit := func() query.Relation {
		r := select1()
		r.Op = query.PerUnit
		return r
	}
	join := func() query.Relation {
		return query.Relation{Op: query.JoinRows, Inputs: []query.Relation{scanned("org.visits", "region"), scanned("org.tests", "grade")},
			Units: []query.UnitRows{{Space: "org/student", Rows: 6}}, MaxRank: 6, Join: &query.Join{Left: "a", Right: "b"}, Fields: []query.Field{{Name: "a.region", Type: query.Text}}}
	}
	public := func() query.Relation {
		r := join()
		r.Inputs[1], r.Units, r.MaxRank = scanned("org.regions", "name", "zone"), []query.UnitRows{{Space: "org/student", Rows: 3}}, 3
		r.Join.Public, r.Join.Keys = true, []query.JoinKey{{Left: "region", Right: "name"}}
		return r
	}
	union := func() query.Relation {
		return query.Relation{Op: query.Union, Inputs: []query.Relation{scanned("org.visits", "region"), scanned("org.shops", "region")}, MaxRank: 6,
			Units: []query.UnitRows{{Space: "org/firm", Rows: 2}, {Space: "org/student", Rows: 3}}, Fields: text}
	}
	for name, c := range map[string]struct {
		from   func() query.Relation
		breaks func(r *query.Relation)
	}{
		"fewer rows of a select":       {select1, func(r *query.Relation) { r.Units[0].Rows = 2 }},
		"smaller ranks of a select":    {select1, func(r *query.Relation) { r.MaxRank = 2 }},
		"ranks without end":            {select1, func(r *query.Relation) { r.MaxRank = 1<<53 + 1 }},
		"a field that is not computed": {select1, func(r *query.Relation) { r.Columns = nil }},
		"a field of another type":      {select1, func(r *query.Relation) { r.Fields = []query.Field{{Name: "region", Type: query.Int}} }},
		"two inputs of a select":       {select1, func(r *query.Relation) { r.Inputs = append(r.Inputs, r.Inputs[0]) }},
		"one row of several groups":    {perUnit, func(r *query.Relation) { r.Units[0].Rows = 1 }},
		"a feature of nothing": {perUnit, func(r *query.Relation) {
			r.Columns, r.Features = nil, []query.Feature{{Name: "region", Kind: query.FeatureMin}}
		}},
		"a sum beyond exact integers": {perUnit, func(r *query.Relation) {
			one := query.Expr{Op: query.OpLiteral, Type: query.Number, Number: 1}
			r.Fields = append([]query.Field{{Name: "x", Type: query.Number}}, r.Fields...)
			r.Features = []query.Feature{{Name: "x", Kind: query.FeatureSum, Argument: &one, Upper: 1 << 52, Step: privacy.Step{Num: 1, Den: 1}}}
		}},
		"fewer rows of a join":         {join, func(r *query.Relation) { r.Units[0].Rows = 5 }},
		"smaller ranks of a join":      {join, func(r *query.Relation) { r.MaxRank = 5 }},
		"a join of spaces":             {join, func(r *query.Relation) { r.Inputs[1] = scanned("org.shops", "region") }},
		"a join on two types":          {join, func(r *query.Relation) { r.Join.Keys = []query.JoinKey{{Left: "region", Right: "grade"}} }},
		"a join on no field":           {join, func(r *query.Relation) { r.Join.Keys = []query.JoinKey{{Left: "region", Right: "zone"}} }},
		"no join":                      {join, func(r *query.Relation) { r.Join = nil }},
		"a public join on nothing":     {public, func(r *query.Relation) { r.Join.Keys = nil }},
		"a public join on another key": {public, func(r *query.Relation) { r.Join.Keys[0].Right = "zone" }},
		"a public join of the private": {public, func(r *query.Relation) { r.Inputs[1] = scanned("org.shops", "region"); r.Join.Keys[0].Right = "region" }},
		"public rows first":            {public, func(r *query.Relation) { r.Inputs[0], r.Inputs[1] = r.Inputs[1], r.Inputs[0] }},
		"a private join of the public": {public, func(r *query.Relation) { r.Join.Public = false }},
		"a union that hides a space":   {union, func(r *query.Relation) { r.Units = r.Units[1:] }},
		"a union of fewer rows":        {union, func(r *query.Relation) { r.Inputs[1] = r.Inputs[0]; r.Units = r.Units[1:] }},
		"a union with smaller ranks":   {union, func(r *query.Relation) { r.MaxRank = 4 }},
		"a union with public rows":     {union, func(r *query.Relation) { r.Inputs[1] = scanned("org.regions", "name") }},
		"a union of one":               {union, func(r *query.Relation) { r.Inputs = r.Inputs[:1] }},
		"a union of other fields":      {union, func(r *query.Relation) { r.Inputs[1] = scanned("org.shops") }},
	} {
		from := c.from()
		if _, err := generate(counted(from, nil, 6), tables, 10); err != nil {
			t.Fatalf("%s: unbroken: %v", name, err)
		}
		from = c.from()
		c.breaks(&from)
		if _, err := generate(counted(from, nil, 6), tables, 10); !errors.Is(err, ErrPlan) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestUnfolded shows that sub-queries which multiply each other's expressions are refused while the
// database still plans them quickly.
func TestUnfolded(t *testing.T) {
	tables := map[string]datasets.Table{"org.visits": {Declaration: handTables(t)["org.visits"].Declaration}}
	nested := func(depth int) query.Parts {
		from := scanOf("org.visits", tables["org.visits"].Declaration, "cost")
		x := measure("cost", 1, 2)
		for range depth {
			sum := x
			for range 3 {
				sum = query.Expr{Op: query.OpAdd, Type: query.Number, Args: []query.Expr{sum, x}}
			}
			from = query.Relation{Op: query.Select, Inputs: []query.Relation{from}, Units: from.Units, MaxRank: 3,
				Columns: []query.Computed{{Name: "x", Expr: sum}}, Fields: []query.Field{{Name: "x", Type: query.Number}}}
			x = column(query.Number, "x")
		}
		p := counted(from, nil, 3)
		p.Filter = &query.Expr{Op: query.OpGt, Type: query.Bool, Args: []query.Expr{x, {Op: query.OpLiteral, Type: query.Number, Number: 3}}}
		return p
	}
	e := open(t, Options{Dir: t.TempDir(), Timeout: 10 * time.Second})
	if err := e.check(t.Context(), nested(6), tables); err != nil { // 2^12 columns, 2^13 operations
		t.Errorf("six deep: %v", err)
	}
	var asked *query.Error
	if err := e.check(t.Context(), nested(8), tables); !errors.Is(err, ErrPlan) || !errors.As(err, &asked) {
		t.Errorf("eight deep: %v", err)
	}
}
