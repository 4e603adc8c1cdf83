package query

import (
	"strings"

	"entrepot/privacy"
)

// released writes a key or an aggregate of the plan.
func (w writer) released(r Released) string {
	if r.Key >= 0 {
		return w.expr(w.plan.Keys[r.Key].Expr)
	}
	return w.aggregate(w.plan.Aggregates[r.Aggregate])
}

// inHaving writes what released does, as a part of a condition.
func (w writer) inHaving(b *strings.Builder, r Released, least int) {
	if r.Key < 0 {
		b.WriteString(w.released(r))
		return
	}
	w.write(b, w.plan.Keys[r.Key].Expr, least)
}

// aggregate writes an aggregate as the SELECT list has it.
func (w writer) aggregate(a Aggregate) string {
	argument := ""
	if a.Argument != privacy.NoArgument {
		argument = w.expr(w.plan.Arguments[a.Argument].Expr)
	}
	switch a.Kind {
	case privacy.CountUnits:
		text := "COUNT(DISTINCT " + qualified(w.plan.From.ID) + ")"
		if a.Argument != privacy.NoArgument { // CASE WHEN condition THEN TRUE END
			text += " FILTER (WHERE " + w.expr(w.plan.Arguments[a.Argument].Expr.Args[0]) + ")"
		}
		return text
	case privacy.CountDistinct:
		return "COUNT(DISTINCT " + argument + ")"
	case privacy.Sum:
		return "SUM(" + argument + ")"
	case privacy.Mean:
		return "AVG(" + argument + ")"
	case privacy.Variance:
		return spread(a) + "(" + argument + ")"
	case privacy.Quantile:
		return quantile(a.Rank, argument)
	}
	if a.Argument == privacy.NoArgument {
		return "COUNT(*)"
	}
	return "COUNT(" + argument + ")"
}

// spread names a variance or a standard deviation.
func spread(a Aggregate) string {
	name := "VAR_"
	if a.Root {
		name = "STDDEV_"
	}
	if a.Sample {
		return name + "SAMP"
	}
	return name + "POP"
}

// quantile writes MIN, MEDIAN, MAX or PERCENTILE_CONT.
func quantile(rank float64, argument string) string {
	switch rank {
	case 0:
		return "MIN(" + argument + ")"
	case 0.5:
		return "MEDIAN(" + argument + ")"
	case 1:
		return "MAX(" + argument + ")"
	}
	return "PERCENTILE_CONT(" + constant(Expr{Type: Number, Number: rank}) + ") WITHIN GROUP (ORDER BY " + argument + ")"
}
