package query

import (
	"math"
	"time"
)

// points lists what lies between the bounds: integers on their lattice, steps of a measure, dates, and
// the beginnings of units.
func (t term) points(w *effort) []any {
	switch {
	case t.expr.Type == Date && t.loose == "":
		unit, most := unitDay, int64(MaxIntegerKey)
		if t.expr.Op == OpDateTrunc {
			unit, most = t.expr.Text, maxDerived
		}
		return beginnings(t, unit, most, w)
	case t.expr.Op == OpDateTrunc && t.loose == "":
		return beginnings(t, t.expr.Text, maxDerived, w)
	case t.expr.Op == OpColumn && t.expr.Num != 0:
		return measured(t, w)
	case t.integral && t.grid.den == 1 && exact(t.lo) && exact(t.hi): // beyond, bounds are not those of the integers themselves
		step := max(t.grid.num, 1)
		first, last := int64(math.Ceil(t.lo/float64(step))), int64(math.Floor(t.hi/float64(step)))
		if last-first >= MaxIntegerKey || !w.spend(int(last-first)) {
			return nil
		}
		list := []any{}
		for i := first; i <= last; i++ {
			if t.expr.Type == Int {
				list = append(list, i*step)
			} else {
				list = append(list, float64(i*step))
			}
		}
		return list
	}
	return nil
}

// measured lists the values of a stored measure, if they are few.
func measured(t term, w *effort) []any {
	num, den := t.expr.Num, t.expr.Den
	first, last := math.Round(t.lo*float64(den)/float64(num)), math.Round(t.hi*float64(den)/float64(num))
	if last-first >= MaxIntegerKey || !exact(first) || !exact(last) || !w.spend(int(last-first)) {
		return nil
	}
	list := []any{}
	for i := int64(first); i <= int64(last); i++ {
		list = append(list, scaled(i, num, den))
	}
	return list
}

// beginnings lists the first moments of all units from earliest to latest, if they are few.
func beginnings(t term, unit string, most int64, w *effort) []any {
	step, n, longest := unit, int64(1), unitMicros(unit)
	switch unit {
	case unitQuarter:
		step, n, longest = unitMonth, 3, 92*microDay
	case unitMonth:
		longest = 31 * microDay
	case unitYear:
		longest = 366 * microDay
	}
	if n := (t.latest - t.earliest) / longest; n >= most || !w.spend(int(n)) {
		return nil
	}
	list := []any{}
	at, _ := truncated(t.from(), unit)
	for micros := at.UnixMicro(); micros <= t.latest; {
		if int64(len(list)) == most {
			return nil
		}
		list = append(list, canonical(micros, t.expr.Type))
		var ok bool
		if micros, ok = shifted(time.UnixMicro(micros).UTC(), n, step); !ok {
			break
		}
	}
	return list
}
