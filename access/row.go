package access

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// newRow writes a valid rule as the Casbin row that stands for it.
func newRow(r Rule) []string {
	row := make([]string, columns)
	row[columnRule] = r.ID
	row[columnEffect] = string(r.Effect)
	row[columnOrganisations] = listCell(r.Organisations)
	row[columnRoles] = listCell(r.Roles)
	row[columnJurisdictions] = listCell(r.Jurisdictions)
	row[columnActions] = listCell(r.Actions)
	row[columnProjects] = listCell(r.Projects)
	row[columnPurposes] = listCell(r.Purposes)
	row[columnNotBefore] = timeCell(r.NotBefore)
	row[columnNotAfter] = timeCell(r.NotAfter)
	row[columnMaxEpsilon] = noLimit
	if r.MaxEpsilonPerQuery > 0 {
		row[columnMaxEpsilon] = strconv.FormatInt(int64(r.MaxEpsilonPerQuery), 10)
	}
	return row
}

// checkRow reads a row back before it enters the enforcer, where a wrong one could fail every later
// decision or, with an effect that Casbin does not know, be passed over in silence.
func checkRow(row []string) error {
	if len(row) != columns {
		return fmt.Errorf("it has %d cells, not %d", len(row), columns)
	}
	if effect := Effect(row[columnEffect]); effect != Allow && effect != Deny {
		return fmt.Errorf("its effect %s is unknown", quote(row[columnEffect]))
	}
	probe := &question{}
	for _, c := range clauses() {
		if _, readable := c.holds(probe, Deny, c.of(row)); !readable {
			return fmt.Errorf("its %s cannot be read", c.name)
		}
	}
	return nil
}

// of returns the clause's cells of a row.
func (c clause) of(row []string) []string {
	return row[c.cells[0] : c.cells[len(c.cells)-1]+1]
}

func listCell[T ~string](values []T) string {
	if values == nil {
		return anyValue
	}
	words := make([]string, len(values))
	for i, value := range values {
		words[i] = string(value)
	}
	return strings.Join(words, " ")
}

func timeCell(t time.Time) string {
	if t.IsZero() {
		return noLimit
	}
	return stamp(t)
}

// limitTime reads the cell of a date; open is what a date that is not stated means.
func limitTime(cell string, open time.Time) (limit time.Time, readable bool) {
	if cell == noLimit {
		return open, true
	}
	limit, err := time.Parse(time.RFC3339Nano, cell)
	return limit, err == nil
}

// lists says whether the list in cell is "*" or has one of values. It walks the cell instead of
// splitting it: this runs for every rule in every decision.
func lists(cell string, values []string) (met, readable bool) {
	if cell == anyValue {
		return true, true
	}
	if cell == "" {
		return false, false
	}
	for rest, more := cell, true; more; {
		var word string
		word, rest, more = strings.Cut(rest, " ")
		if word == "" || word == anyValue {
			return false, false
		}
		met = met || slices.Contains(values, word)
	}
	return met, true
}

// shared returns the words of the list in cell that are among values.
func shared(cell string, values []string) []string {
	var both []string
	for word := range strings.SplitSeq(cell, " ") {
		if slices.Contains(values, word) {
			both = append(both, word)
		}
	}
	return both
}

// listing shows the list in cell, cut so that a reason stays a sentence.
func listing(cell string) string {
	const shown = 8
	words := strings.Split(cell, " ")
	if more := len(words) - shown; more > 0 {
		return strings.Join(words[:shown], ", ") + fmt.Sprintf(" and %d more", more)
	}
	return strings.Join(words, ", ")
}
