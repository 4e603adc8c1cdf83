package access

import "strings"

// sentence says what a rule that applied does, and of what: the clauses that it states.
func (e *Enforcer) sentence(q *question, row []string) string {
	verb := " allows "
	if Effect(row[columnEffect]) == Deny {
		verb = " denies "
	}
	var stated []string
	for _, c := range e.clauses {
		if held := c.held(q, c.of(row)); held != "" {
			stated = append(stated, held)
		}
	}
	if len(stated) == 0 {
		stated = []string{"everyone"}
	}
	return "rule " + row[columnRule] + verb + strings.Join(stated, "; ")
}

// nearest names the allow rule that came nearest to allowing, and its first clause that failed. Nearest
// is the one with the fewest failed clauses; of equals the one that got furthest, then the first.
func (e *Enforcer) nearest(q *question) string {
	var best []string // the row of the nearest
	bestFailures, bestFirst := len(e.clauses)+1, 0
	for _, row := range e.rows {
		if Effect(row[columnEffect]) != Allow {
			continue
		}
		failures, first := e.failures(q, row)
		if failures < bestFailures || (failures == bestFailures && first > bestFirst) {
			best, bestFailures, bestFirst = row, failures, first
		}
	}
	switch {
	case best == nil:
		return "the policy has no rule that allows"
	case bestFailures == 0: // Casbin said otherwise, and only the stricter of two answers counts
		return "the policy could not be evaluated"
	}
	c := e.clauses[bestFirst]
	return "rule " + best[columnRule] + ": " + c.failed(q, c.of(best))
}

// failures counts the clauses of an allow rule that do not hold; first is the index of the first.
func (e *Enforcer) failures(q *question, row []string) (count, first int) {
	first = len(e.clauses)
	for i, c := range e.clauses {
		if !c.met(q, Allow, c.of(row)) {
			count++
			first = min(first, i)
		}
	}
	return count, first
}
