package engine

import (
	"fmt"
	"strings"
	"testing"

	"entrepot/datasets"
	"entrepot/privacy"
	"entrepot/sandbox/query"
)

// TestTallies computes each tally by hand, with and without bounds: unit 1 of the visits keeps its rows
// of least rank.
func TestTallies(t *testing.T) {
	tables := handTables(t)
	visits := scanOf("org.visits", tables["org.visits"].Declaration, "cost", "region")
	argument := query.Argument{Expr: measure("cost", 1, 2), Column: "cost", Lower: 3, Upper: 8, Step: privacy.Step{Num: 1, Den: 2}, Nullable: true}
	for name, c := range map[string]struct {
		bounds privacy.Contribution
		want   string
	}{
		"no bounds":         {privacy.Contribution{MaxPartitions: 3, MaxRowsPerPartition: 3, MaxRows: 3}, `["n"] 3/2: 3/2 of 2, 14, 19 1:2 3:1; ["s"] 2/2: 1/1 of 1, 8, 25 5:1; [null] 1/1: 1/1 of 1, 3, 25 0:1`},
		"one row in each":   {privacy.Contribution{MaxPartitions: 3, MaxRowsPerPartition: 1, MaxRows: 3}, `["n"] 2/2: 2/2 of 1, 8, 18 1:2; ["s"] 2/2: 1/1 of 1, 8, 25 5:1; [null] 1/1: 1/1 of 1, 3, 25 0:1`},
		"one region":        {privacy.Contribution{MaxPartitions: 1, MaxRowsPerPartition: 3, MaxRows: 3}, `["n"] 2/1: 2/1 of 2, 10, 10 1:1 3:1; ["s"] 1/1: 1/1 of 1, 8, 25 5:1; [null] 1/1: 1/1 of 1, 3, 25 0:1`},
		"one row in region": {privacy.Contribution{MaxPartitions: 1, MaxRowsPerPartition: 1, MaxRows: 3}, `["n"] 1/1: 1/1 of 1, 4, 9 1:1; ["s"] 1/1: 1/1 of 1, 8, 25 5:1; [null] 1/1: 1/1 of 1, 3, 25 0:1`},
	} {
		t.Run(name, func(t *testing.T) {
			p := counted(visits, byText("region"), 3)
			p.Contribution = c.bounds
			p.Arguments = []query.Argument{argument}
			for _, kind := range []privacy.Kind{privacy.CountUnits, privacy.CountDistinct, privacy.Variance, privacy.Quantile} {
				p.Aggregates = append(p.Aggregates, query.Aggregate{Kind: kind, Argument: 0})
			}
			var list []string
			for _, g := range partials(t, p, tables) {
				a := g.Arguments[0]
				text := fmt.Sprintf("%s %d/%d: %d/%d of %d, %s, %s", g.Key, g.Rows, g.Units, a.NonNull, a.Units, a.Distinct, a.Sum, a.Squares)
				for _, l := range a.Leaves {
					text += fmt.Sprintf(" %d:%d", l.Index, l.Rows)
				}
				list = append(list, text)
			}
			if got := strings.Join(list, "; "); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// TestKeys groups by a number in both forms, never by −0, with a domain and without.
func TestKeys(t *testing.T) {
	tables := handTables(t)
	visits := scanOf("org.visits", tables["org.visits"].Declaration, "cost")
	half := query.Expr{Op: query.OpSub, Type: query.Number, Args: []query.Expr{measure("cost", 1, 2), {Op: query.OpLiteral, Type: query.Number, Number: 2}}}
	negative := query.Expr{Op: query.OpNeg, Type: query.Number, Args: []query.Expr{half}}
	for name, c := range map[string]struct {
		key  query.Key
		want string
	}{
		"halves":         {query.Key{Name: "k", Expr: negative, Type: datasets.Float64}, `[-1] 1/1 0; [-3] 1/1 0; [0] 2/2 0; [1] 1/1 0; [null] 1/1 0`},
		"some halves":    {query.Key{Name: "k", Expr: negative, Type: datasets.Float64, Domain: []any{0., -3., 7.5}}, `[-3] 1/1 0; [0] 2/2 0`},
		"integers":       {query.Key{Name: "k", Expr: negative, Type: datasets.Int64}, `[-1] 1/1 0; [-3] 1/1 0; [0] 2/2 0; [1] 1/1 0; [null] 1/1 0`},
		"a range":        {query.Key{Name: "k", Expr: negative, Type: datasets.Int64, Domain: []any{int64(-1), int64(0), int64(1)}}, `[-1] 1/1 0; [0] 2/2 0; [1] 1/1 0`},
		"some integers":  {query.Key{Name: "k", Expr: negative, Type: datasets.Int64, Domain: []any{int64(1), int64(-3)}}, `[-3] 1/1 0; [1] 1/1 0`},
		"stored numbers": {query.Key{Name: "k", Expr: measure("cost", 1, 2), Type: datasets.Float64}, `[1] 1/1 0; [2] 2/2 0; [3] 1/1 0; [5] 1/1 0; [null] 1/1 0`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := asked(t, counted(visits, &c.key, 3), tables); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}
