package engine

import (
	"context"
	"database/sql/driver"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"entrepot/datasets"
	"entrepot/sandbox/query"
	"entrepot/sandbox/query/querytest"
)

// exprs makes random typed expressions. Number expressions come with a bound on their magnitude,
// which the planner's intervals would keep far from overflow.
type exprs struct {
	*rand.Rand
	d    datasets.Declaration
	used map[query.Op]int
}

// node makes an operation and counts it.
func (g exprs) node(op query.Op, typ query.Type, args ...query.Expr) query.Expr {
	g.used[op]++
	return query.Expr{Op: op, Type: typ, Args: args}
}

// stored makes a reference to one of these columns.
func (g exprs) stored(typ query.Type, names ...string) query.Expr {
	g.used[query.OpColumn]++
	name := names[g.IntN(len(names))]
	e := query.Expr{Op: query.OpColumn, Type: typ, Column: name}
	if c, _ := g.d.Column(name); c.Role == datasets.Measure {
		_, _, e.Num, e.Den, _ = c.Grid()
	}
	return e
}

// literal makes a constant, at times NULL.
func (g exprs) literal(typ query.Type) query.Expr {
	g.used[query.OpLiteral]++
	e := query.Expr{Op: query.OpLiteral, Type: typ}
	if g.IntN(8) == 0 {
		e.Null = true
		return e
	}
	switch typ {
	case query.Number:
		e.Number = []float64{0, 1, -1, 0.5, 2.5, -2.5, 1e-101, 1e-100, 3, 100, 0.1, 1e15, -7.25, 9007199254740993}[g.IntN(14)]
	case query.Int:
		e.Int = []int64{0, 1, -1, 5, -7, math.MinInt64, math.MaxInt64, 1<<53 + 1}[g.IntN(8)]
	case query.Bool:
		e.Bool = g.IntN(2) == 0
	case query.Text:
		e.Text = texts[g.IntN(len(texts))]
	case query.Date:
		e.Text = g.sample("day").(string)
	case query.Timestamp:
		e.Text = g.sample("at").(string)
	}
	return e
}

var texts = []string{"", "a", "A", "north", "so'uth", "한글", " ", "e\u0301", "\\", "';--", "%", "_", "a%", "%b", "_글", "a_b", "%a%", "__", "%%", "_%_", "x%x", strings.Repeat("x%", 20)}

// sample is a value of a column that is not NULL.
func (g exprs) sample(column string) any {
	for {
		if v := pool[column][g.IntN(len(pool[column]))]; v != nil {
			return v
		}
	}
}

// number makes a Number and the power of ten that bounds it.
func (g exprs) number(depth int) (query.Expr, float64) {
	if depth <= 0 || g.IntN(6) == 0 {
		switch g.IntN(4) {
		case 0:
			return g.literal(query.Number), 16
		case 1:
			return g.node(query.OpToNumber, query.Number, g.stored(query.Int, "age", "code", "level")), 19
		}
		return g.stored(query.Number, "score", "amount", "ratio", "third", "huge"), 16
	}
	a, x := g.number(depth - 1)
	b, y := g.number(depth - 1)
	most := max(x, y)
	switch op := g.IntN(16); op {
	case 0:
		return g.bounded(g.node(query.OpAdd, query.Number, a, b), most+1)
	case 1:
		return g.bounded(g.node(query.OpSub, query.Number, a, b), most+1)
	case 2:
		return g.bounded(g.node(query.OpMul, query.Number, a, b), x+y)
	case 3:
		return g.bounded(g.node(query.OpDiv, query.Number, a, b), x+100)
	case 4, 5, 6, 7, 8:
		return g.node([]query.Op{query.OpNeg, query.OpAbs, query.OpRound, query.OpFloor, query.OpCeil}[op-4], query.Number, a), x
	case 9, 10:
		return g.clamp(a), x
	case 11:
		return g.node(query.OpCase, query.Number, g.truth(depth-1), a, g.truth(depth-1), g.literal(query.Number), b), max(most, 16)
	case 12:
		return g.node(query.OpCoalesce, query.Number, a, b), most
	case 13:
		return g.node(query.OpNullIf, query.Number, a, b), x
	case 14:
		return g.node(query.OpLength, query.Number, g.text(depth-1)), 4
	}
	return g.numberOfOther(depth - 1)
}

// numberOfOther makes a Number of a text, a date or a timestamp, or of a number's bucket.
func (g exprs) numberOfOther(depth int) (query.Expr, float64) {
	switch g.IntN(6) {
	case 0:
		return g.node(query.OpParseNumber, query.Number, g.text(depth)), 15
	case 1:
		return g.node(query.OpDays, query.Number, g.moment(query.Date, depth), g.moment(query.Date, depth)), 7
	case 2:
		return g.node(query.OpSeconds, query.Number, g.moment(query.Timestamp, depth), g.moment(query.Timestamp, depth)), 12
	case 3:
		x, _ := g.number(depth)
		args := []query.Expr{x}
		for i := range 1 + g.IntN(9) {
			args = append(args, query.Expr{Op: query.OpLiteral, Type: query.Number, Number: float64(i*i) - 7.5 + float64(g.IntN(2))/2})
		}
		return g.node(query.OpBucket, query.Number, args...), 1
	}
	part := []query.Op{query.OpYear, query.OpQuarter, query.OpMonth, query.OpWeek, query.OpDay, query.OpDow, query.OpHour, query.OpMinute, query.OpSecond}[g.IntN(9)]
	return g.node(part, query.Number, g.moment([]query.Type{query.Date, query.Timestamp}[g.IntN(2)], depth)), 4
}

// moment makes a Date or a Timestamp.
func (g exprs) moment(typ query.Type, depth int) query.Expr {
	if depth <= 0 || g.IntN(3) == 0 {
		if typ == query.Date {
			return g.either(typ, "day", "born")
		}
		return g.either(typ, "at")
	}
	a := g.moment(typ, depth-1)
	switch g.IntN(8) {
	case 0, 1:
		e := g.node(query.OpDateTrunc, typ, a)
		units := []string{"year", "quarter", "month", "week", "day", "hour", "minute"}
		if typ == query.Date {
			units = units[:5]
		}
		e.Text = units[g.IntN(len(units))]
		return e
	case 2, 3, 4:
		units := []string{"year", "month", "week", "day", "hour", "minute", "second"}
		if typ == query.Date {
			units = units[:4]
		}
		e := g.node(query.OpDateAdd, typ, a)
		e.Text, e.Int = units[g.IntN(len(units))], shifts[g.IntN(len(shifts))]
		return e
	case 5:
		return g.node(query.OpCase, typ, g.truth(depth-1), a, g.moment(typ, depth-1))
	case 6:
		return g.node(query.OpCoalesce, typ, a, g.moment(typ, depth-1))
	}
	switch {
	case typ == query.Timestamp:
		return g.node(query.OpToTime, typ, g.moment(query.Date, depth-1))
	case g.IntN(2) == 0:
		return g.node(query.OpParseDate, typ, g.text(depth-1))
	}
	return g.node(query.OpToDate, typ, g.moment(query.Timestamp, depth-1))
}

// shifts are numbers of units to add to a date.
var shifts = []int64{0, 1, -1, 11, -12, 31, -365, 4001, -9998, 9998, 119988, -119989, 3652058, -3652059, 1 << 40, math.MinInt64, math.MaxInt64}

// bounded clamps what came too near to overflow.
func (g exprs) bounded(e query.Expr, power float64) (query.Expr, float64) {
	if power < 290 {
		return e, power
	}
	if e.Op == query.OpMul || e.Op == query.OpDiv { // the product itself may already overflow
		return e.Args[0], power / 2
	}
	return g.clamp(e), 16
}

// clamp makes CLAMP with constant bounds.
func (g exprs) clamp(a query.Expr) query.Expr {
	lower := query.Expr{Op: query.OpLiteral, Type: query.Number, Number: float64(-g.IntN(100))}
	upper := query.Expr{Op: query.OpLiteral, Type: query.Number, Number: float64(g.IntN(1000))}
	return g.node(query.OpClamp, query.Number, a, lower, upper)
}

// text makes a Text.
func (g exprs) text(depth int) query.Expr {
	if depth <= 0 || g.IntN(3) == 0 {
		if g.IntN(4) == 0 {
			return g.literal(query.Text)
		}
		return g.stored(query.Text, "region", "tag")
	}
	a := g.text(depth - 1)
	switch op := g.IntN(6); op {
	case 0, 1, 2:
		return g.node([]query.Op{query.OpLower, query.OpUpper, query.OpTrim}[op], query.Text, a)
	case 3:
		return g.node(query.OpCoalesce, query.Text, a, g.literal(query.Text))
	case 4:
		return g.node(query.OpNullIf, query.Text, a, g.text(depth-1))
	}
	return g.node(query.OpCase, query.Text, g.truth(depth-1), a, g.text(depth-1))
}

// operand makes an expression of a random type.
func (g exprs) operand(typ query.Type, depth int) query.Expr {
	switch typ {
	case query.Number:
		e, _ := g.number(depth)
		return e
	case query.Text:
		return g.text(depth)
	case query.Int:
		return g.either(typ, "age", "code", "level")
	case query.Date, query.Timestamp:
		return g.moment(typ, depth)
	}
	return g.truth(depth)
}

// either makes a column or a constant.
func (g exprs) either(typ query.Type, names ...string) query.Expr {
	if g.IntN(3) == 0 {
		return g.literal(typ)
	}
	return g.stored(typ, names...)
}

// truth makes a Bool.
func (g exprs) truth(depth int) query.Expr {
	if depth <= 0 {
		return g.either(query.Bool, "flag")
	}
	types := []query.Type{query.Number, query.Int, query.Text, query.Bool, query.Date, query.Timestamp}
	typ := types[g.IntN(len(types))]
	switch op := g.IntN(12); op {
	case 0, 1, 2, 3, 4, 5:
		if typ == query.Bool {
			typ = query.Int
		}
		ops := []query.Op{query.OpEq, query.OpNe, query.OpLt, query.OpLe, query.OpGt, query.OpGe}
		return g.node(ops[op], query.Bool, g.operand(typ, depth-1), g.operand(typ, depth-1))
	case 6:
		return g.node(query.OpAnd, query.Bool, g.truth(depth-1), g.truth(depth-1), g.truth(depth-1))
	case 7:
		return g.node(query.OpOr, query.Bool, g.truth(depth-1), g.truth(depth-1))
	case 8:
		return g.node(query.OpNot, query.Bool, g.truth(depth-1))
	case 9:
		return g.node(query.OpIsNull, query.Bool, g.operand(typ, depth-1))
	case 10:
		args := []query.Expr{g.operand(typ, depth-1)}
		for range 1 + g.IntN(4) {
			args = append(args, g.literal(typ))
		}
		return g.node(query.OpIn, query.Bool, args...)
	}
	like := g.node(query.OpLike, query.Bool, g.text(depth-1))
	like.Text = texts[g.IntN(len(texts))]
	return like
}

// TestOperations evaluates random expressions on rows of extremes, in DuckDB and by query.Eval: no
// error, and the same values to the bit.
func TestOperations(t *testing.T) {
	const seed, rounds, batch = 20261121, 60, 50
	d := declare(t, 1)
	r := rand.New(rand.NewPCG(seed, 1))
	dir := t.TempDir()
	rows := world(r, d, 300)
	for i := range rows { // every value of every column, whatever world chose
		for _, name := range slices.Sorted(maps.Keys(pool)) {
			if values := pool[name]; r.IntN(3) > 0 {
				rows[i].Values[name] = values[r.IntN(len(values))]
			}
		}
	}
	path := filepath.Join(dir, "rows.parquet")
	writeRows(t, path, querytest.Table{Declaration: d, Rows: rows})
	e := open(t, Options{Dir: dir, Threads: 1})
	g := exprs{r, d, map[query.Op]int{}}
	compared := 0
	for range rounds {
		var list []query.Expr
		for range batch {
			list = append(list, g.operand([]query.Type{query.Number, query.Bool, query.Text, query.Date, query.Timestamp}[r.IntN(5)], 4))
		}
		compared += compareExprs(t, e, d, path, rows, list)
	}
	for _, op := range []query.Op{
		query.OpColumn, query.OpLiteral, query.OpToNumber, query.OpAdd, query.OpSub, query.OpMul, query.OpDiv, query.OpNeg, query.OpAbs, query.OpRound,
		query.OpFloor, query.OpCeil, query.OpClamp, query.OpEq, query.OpNe, query.OpLt, query.OpLe, query.OpGt, query.OpGe, query.OpAnd, query.OpOr, query.OpNot,
		query.OpIsNull, query.OpIn, query.OpLike, query.OpCase, query.OpCoalesce, query.OpNullIf, query.OpLower, query.OpUpper, query.OpTrim, query.OpLength,
		query.OpYear, query.OpQuarter, query.OpMonth, query.OpDay, query.OpHour, query.OpMinute, query.OpDow, query.OpWeek, query.OpSecond,
		query.OpDateTrunc, query.OpDateAdd, query.OpDays, query.OpSeconds, query.OpToDate, query.OpToTime, query.OpBucket, query.OpParseNumber, query.OpParseDate,
	} {
		if g.used[op] < 10 {
			t.Errorf("%s was tried %d times only", op, g.used[op])
		}
	}
	t.Logf("%d values compared", compared)
}

// compareExprs evaluates a list of expressions on all rows, both ways.
func compareExprs(t *testing.T, e *Engine, d datasets.Declaration, path string, rows []querytest.Row, list []query.Expr) (compared int) {
	t.Helper()
	var names []string
	for _, c := range d.Stored() {
		names = append(names, c.Name)
	}
	g := generator{tables: empty(d), ordinals: true}
	w := &writer{fields: g.scan(scan(d, names...)).fields}
	w.put("SELECT _ord")
	for _, x := range list {
		w.put(", ", x)
	}
	w.put(" FROM read_parquet(" + quote(path) + ", file_row_number = true)" + " ORDER BY file_row_number")
	if w.err != nil {
		t.Fatal(w.err)
	}
	at := 0
	err := e.run(t.Context(), func(ctx context.Context, s session) error {
		return s.query(ctx, w.String(), nil, func(got []driver.Value) error {
			for i, x := range list {
				want := query.Eval(x, func(name string) any { return rows[at].Values[name] })
				if !same(got[1+i], want) {
					return fmt.Errorf("%+v on %v: DuckDB %v, Eval %v", x, rows[at].Values, got[1+i], want)
				}
				compared++
			}
			at++
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	if at != len(rows) {
		t.Fatalf("%d rows of %d", at, len(rows))
	}
	return compared
}

// same compares a value of the driver with one of query.Eval. −0 and 0 are one number.
func same(got driver.Value, want any) bool {
	switch g := got.(type) {
	case time.Time:
		s, ok := want.(string)
		return ok && (g.Format(time.DateOnly) == s || g.Format("2006-01-02T15:04:05Z") == s || g.Format("2006-01-02T15:04:05.000000Z") == s)
	case float64:
		f, ok := want.(float64)
		return ok && f == g && !math.IsInf(g, 0)
	}
	return got == want
}
