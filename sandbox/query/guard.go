package query

// guarded narrows what is known of a value where a condition is true that compares it with constants:
// in CASE WHEN x >= 0 THEN x END the value is from 0, and never NULL.
func guarded(value, condition term) term {
	parts := []Expr{condition.expr}
	if condition.expr.Op == OpAnd {
		parts = condition.expr.Args
	}
	narrow, above, below := value, false, false
	for _, p := range parts {
		if len(p.Args) < 2 || !equal(plain(p.Args[0]), plain(value.expr)) || p.Args[1].Op != OpLiteral {
			continue
		}
		least, most := narrow.limits(p)
		narrow.nullable = narrow.nullable && !least && !most
		above, below = above || least, below || most
	}
	if narrow.lo > narrow.hi || narrow.earliest > narrow.latest {
		return value // it is never used
	}
	if above && below {
		narrow.loose = ""
	}
	narrow.integral = narrow.integral || above && below && narrow.grid == ones() && value.expr.Type == Int && exact(narrow.lo) && exact(narrow.hi)
	return narrow
}

// plain is an expression without the conversion from Int.
func plain(e Expr) Expr {
	if e.Op == OpToNumber {
		return e.Args[0]
	}
	return e
}

// limits narrows t to the values for which a comparison of them with a constant is true, and tells
// whether it limits them from below and from above.
func (t *term) limits(comparison Expr) (least, most bool) {
	e := comparison.Args[1]
	switch comparison.Op {
	case OpEq:
		least, most = true, true
	case OpGt, OpGe:
		least = true
	case OpLt, OpLe:
		most = true
	default:
		return false, false
	}
	switch e.Type {
	case Number, Int:
		x := e.Number + float64(e.Int) // one of the two is 0
		if least {
			t.lo = max(t.lo, x)
		}
		if most {
			t.hi = min(t.hi, x)
		}
	case Date, Timestamp:
		m, _ := moment(e.Text)
		if least {
			t.earliest = max(t.earliest, m.UnixMicro())
		}
		if most {
			t.latest = min(t.latest, m.UnixMicro())
		}
	default:
		return false, false
	}
	return least, most
}
