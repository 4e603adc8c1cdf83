package query

import (
	pg "github.com/pganalyze/pg_query_go/v6"
)

// extreme makes GREATEST or LEAST, which pass over NULL, as CASE: the first value that no other exceeds.
func (c *checker) extreme(n *pg.MinMaxExpr) (term, error) {
	at, op := n.GetLocation(), OpGe
	if n.GetOp() == pg.MinMaxOp_IS_LEAST {
		op = OpLe
	}
	values, err := c.each(n.GetArgs())
	if err != nil {
		return term{}, err
	}
	for _, v := range values {
		if v.untyped() {
			return term{}, c.refuse(v.at, "leave it out", "NULL in GREATEST and LEAST changes nothing")
		}
	}
	const most = 10 // each is compared with all that follow
	if len(values) > most {
		return term{}, c.refuse(at, "nest two of them", "GREATEST and LEAST of more than %d values are not supported", most)
	}
	if _, err = c.unify(values...); err != nil { // each comparison, and CASE, does it again
		return term{}, err
	}
	values = literalsLast(c.sorted(values))
	var whens []term
	for i, v := range values[:len(values)-1] {
		when, err := c.beats(at, op, v, values[i+1:])
		if err != nil {
			return term{}, err
		}
		whens = append(whens, when)
	}
	if len(whens) == 0 {
		return values[0], nil
	}
	return c.cases(at, whens, values)
}

// beats is the condition that no other value is better than v, or is NULL.
func (c *checker) beats(at int32, op Op, v term, others []term) (term, error) {
	var all []term
	for _, o := range others {
		t, err := c.compare(at, op, v, o)
		if err != nil {
			return term{}, err
		}
		if o.nullable {
			null, err := c.isNull(at, o)
			if err != nil {
				return term{}, err
			}
			if t, err = c.logic(at, OpOr, []term{t, null}); err != nil {
				return term{}, err
			}
		}
		all = append(all, t)
	}
	return c.logic(at, OpAnd, all)
}

// literalsLast moves constants to the end, and keeps one of them only where they are all there is.
func literalsLast(values []term) []term {
	var first, last []term
	for _, v := range values {
		if v.literal() {
			last = append(last, v)
		} else {
			first = append(first, v)
		}
	}
	return append(first, last...)
}
