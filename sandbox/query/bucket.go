package query

import (
	"math/big"
	"strconv"

	pg "github.com/pganalyze/pg_query_go/v6"
)

// widthBucket makes WIDTH_BUCKET(x, ARRAY[…]), and WIDTH_BUCKET(x, lower, upper, n) with n + 1 equidistant
// thresholds.
func (c *checker) widthBucket(f call) (term, error) {
	const hint = "write WIDTH_BUCKET(x, lower, upper, count) or WIDTH_BUCKET(x, ARRAY[10, 20, 50]), with ascending constants"
	var thresholds []term
	switch list := c.array(f); {
	case list != nil:
		var err error
		if thresholds, err = c.each(list); err != nil {
			return term{}, err
		}
	case len(f.args) == 4:
		limits, err := c.each(f.args[1:])
		if err != nil {
			return term{}, err
		}
		if thresholds, err = c.equidistant(f.at, limits); err != nil {
			return term{}, err
		}
	default:
		return term{}, c.refuse(f.at, hint, "this form of WIDTH_BUCKET is not supported")
	}
	if len(thresholds) == 0 || len(thresholds) > MaxList {
		return term{}, c.refuse(f.at, hint, "WIDTH_BUCKET needs 1 to %d thresholds", MaxList)
	}
	for i, t := range thresholds {
		if !t.literal() || t.untyped() || !t.numeric() {
			return term{}, c.refuse(t.at, hint, "a threshold of WIDTH_BUCKET is not a constant number")
		}
		t, err := c.number(t)
		if err != nil {
			return term{}, err
		}
		if thresholds[i] = t; i > 0 && t.expr.Number <= thresholds[i-1].expr.Number {
			return term{}, c.refuse(t.at, hint, "the thresholds of WIDTH_BUCKET do not ascend")
		}
	}
	value, err := c.lower(f.args[0])
	if err != nil {
		return term{}, err
	}
	return c.bucketed(f.at, value, thresholds)
}

// array is what ARRAY[…] holds as the second of two arguments.
func (c *checker) array(f call) []*pg.Node {
	if len(f.args) != 2 || f.args[1].GetAArrayExpr() == nil {
		return nil
	}
	return f.args[1].GetAArrayExpr().GetElements()
}

// equidistant lists lower, upper and what divides the range into count parts, each the nearest Number.
func (c *checker) equidistant(at int32, limits []term) ([]term, error) {
	lower, upper, count := limits[0], limits[1], limits[2]
	if !count.literal() || !count.whole || count.integer < 1 || count.integer >= MaxList {
		return nil, c.refuse(count.at, "write a number such as 10", "the number of buckets is not a constant from 1 to %d", MaxList-1)
	}
	var ends [2]*big.Rat
	for i, t := range []term{lower, upper} {
		if !t.literal() || t.untyped() || !t.numeric() {
			return nil, c.refuse(t.at, "write numbers, as in WIDTH_BUCKET(x, 0, 100, 10)", "the limits of WIDTH_BUCKET are not constants")
		}
		t, err := c.number(t)
		if err != nil {
			return nil, err
		}
		ends[i] = decimal(t.expr.Number)
	}
	if ends[0].Cmp(ends[1]) >= 0 {
		return nil, c.refuse(at, "write the smaller limit first", "the lower limit of WIDTH_BUCKET is not below its upper limit")
	}
	width := new(big.Rat).Sub(ends[1], ends[0])
	thresholds := make([]term, 0, count.integer+1)
	for i := range count.integer + 1 {
		x := new(big.Rat).Mul(width, big.NewRat(i, count.integer))
		nearest, _ := x.Add(x, ends[0]).Float64()
		thresholds = append(thresholds, numberLiteral(at, nearest))
	}
	return thresholds, nil
}

// decimal is a Number as its shortest decimal form has it.
func decimal(x float64) *big.Rat {
	r, _ := new(big.Rat).SetString(strconv.FormatFloat(x, 'e', -1, 64))
	return r
}

// bucketed makes the count of thresholds at or below a value.
func (c *checker) bucketed(at int32, value term, thresholds []term) (term, error) {
	value, err := c.number(value)
	if err != nil {
		return term{}, err
	}
	t, err := c.node(at, OpBucket, Number, append([]term{value}, thresholds...)...)
	if err != nil {
		return term{}, err
	}
	t.loose = ""
	return c.whole(t, bucket(value.lo, t.expr.Args[1:]), bucket(value.hi, t.expr.Args[1:]))
}
