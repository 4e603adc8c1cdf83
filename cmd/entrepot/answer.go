package main

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"entrepot/privacy"
	"entrepot/sandbox"
)

// answerText lays out an answer: one line a group, every aggregate with its interval, then what it
// cost. Numbers are rounded to two digits of their error; --json has them all.
func answerText(a sandbox.Answer, limit int) string {
	t := table{}
	rows := make([]map[string]any, len(a.Rows))
	for i, r := range a.Rows {
		rows[i] = map[string]any{}
		for _, f := range r {
			rows[i][f.Name] = f.Value
		}
	}
	columns := make([][]string, len(a.Columns))
	for i, c := range a.Columns {
		switch c.Kind {
		case "key":
			t.columns = append(t.columns, heading{c.Name, c.Type == "int64" || c.Type == "float64"})
			columns[i] = keyCells(c, rows)
		default:
			t.columns = append(t.columns, heading{c.Name, true})
			columns[i] = aggregateCells(c, rows)
		}
	}
	for n := range rows {
		row := make([]string, len(columns))
		for i := range columns {
			row[i] = columns[i][n]
		}
		t.rows = append(t.rows, row)
	}
	return t.text(limit) + footer(a)
}

func footer(a sandbox.Answer) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n± and [ ] are %s %% confidence intervals.\n", short(100*a.Confidence))
	for _, c := range a.Columns {
		b.WriteString(noteText(c.Name, c.Note))
	}
	switch {
	case a.Repeat:
		fmt.Fprintf(&b, "Answered before: nothing was charged.\n")
	case len(a.Charged) == 0:
		fmt.Fprintf(&b, "Nothing was charged.\n")
	}
	for _, c := range a.Charged {
		fmt.Fprintf(&b, "Charged %s.\n", chargeText(c.Account, c.Clocks))
	}
	of := make([]string, len(a.Datasets))
	for i, d := range a.Datasets {
		of[i] = fmt.Sprintf("%s version %d", printable(d.ID), d.Version)
	}
	fmt.Fprintf(&b, "Log entry %d, release %s of %s.\n", a.Log.Entry, printable(a.ID), strings.Join(of, ", "))
	return b.String()
}

// noteText is what a reader must know of a column, on a line of its own; nothing for most.
func noteText(name, note string) string {
	if note == "" {
		return ""
	}
	return printable(name) + ": " + printable(note) + "\n"
}

// chargeText writes a price or a charge on one account.
func chargeText(account string, c privacy.Clocks) string {
	text := printable(account) + " ε " + c.Epsilon.String()
	var divergences []string
	for _, d := range c.Renyi.Used() {
		divergences = append(divergences, renyiText(d))
	}
	if len(divergences) > 0 {
		text += " (Rényi " + strings.Join(divergences, ", ") + ")"
	}
	if c.Delta != 0 {
		text += " δ " + c.Delta.String()
	}
	return text
}

// renyiText writes a divergence with four digits; it is a computed number with twelve.
func renyiText(d privacy.Renyi) string {
	if d == math.MaxInt64 {
		return "inf"
	}
	return strconv.FormatFloat(float64(d)/float64(privacy.OneRenyi), 'g', 4, 64)
}

func keyCells(c sandbox.Column, rows []map[string]any) []string {
	cells := make([]string, len(rows))
	for i, row := range rows {
		switch v := row[c.Name].(type) {
		case nil:
			cells[i] = "NULL"
		case string:
			cells[i] = v
		case json.Number:
			cells[i] = v.String() // a key is a name, such as a year: not grouped
		default:
			cells[i] = fmt.Sprint(v)
		}
	}
	return cells
}

// measured is one released number with its interval.
type measured struct {
	value, low, high          float64
	hasValue, hasLow, hasHigh bool
}

func measure(row map[string]any, name string) (m measured) {
	m.value, m.hasValue = numberOf(row[name])
	m.low, m.hasLow = numberOf(row[name+"_low"])
	m.high, m.hasHigh = numberOf(row[name+"_high"])
	return m
}

// halfWidth is half of the interval; 0 where there is none.
func (m measured) halfWidth() float64 {
	if !m.hasLow || !m.hasHigh {
		return 0
	}
	return (m.high - m.low) / 2
}

// aggregateCells writes a column so that its values and its intervals stand below each other.
func aggregateCells(c sandbox.Column, rows []map[string]any) []string {
	values, intervals := make([]string, len(rows)), make([]string, len(rows))
	decimals, errors := 0, false
	for _, row := range rows {
		if h := measure(row, c.Name).halfWidth(); h > 0 {
			decimals, errors = max(decimals, decimalsFor(h)), true
		}
	}
	if c.Type == "int64" {
		decimals, errors = 0, true
	}
	widest, widestInterval := 0, 0
	for i, row := range rows {
		m := measure(row, c.Name)
		write, unit := func(v float64) string { return fixed(v, decimals) }, math.Pow10(-decimals)
		if !errors {
			write, unit = short, 0
		}
		values[i], intervals[i] = m.text(write, unit)
		widest, widestInterval = max(widest, cells(values[i])), max(widestInterval, cells(intervals[i]))
	}
	for i := range values {
		values[i] = pad(values[i], widest, true)
		if widestInterval > 0 {
			values[i] += " " + pad(intervals[i], widestInterval, false)
		}
	}
	return values
}

// symmetric reports whether both ends are as far away, but for one unit of the last digit shown.
func (m measured) symmetric(unit float64) bool {
	return math.Abs((m.high-m.value)-(m.value-m.low)) <= unit
}

// text writes the value, and its interval as ± where that says the same; unit is that of the last
// digit that write shows.
func (m measured) text(write func(float64) string, unit float64) (value, interval string) {
	if !m.hasValue {
		value = "NULL"
	} else {
		value = write(m.value)
	}
	switch {
	case !m.hasLow && !m.hasHigh:
		return value, ""
	case m.hasValue && m.hasLow && m.hasHigh && m.symmetric(unit):
		return value, "± " + write(max(m.high-m.value, m.value-m.low))
	}
	low, high := "-∞", "∞"
	if m.hasLow {
		low = write(m.low)
	}
	if m.hasHigh {
		high = write(m.high)
	}
	return value, "[" + low + ", " + high + "]"
}
