package main

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"entrepot/sandbox"
)

// assumedGroup is the size of a group of which nothing is said [rows]. The server's own.
const assumedGroup = 1000

func estimateCommand() *cobra.Command {
	c := &cobra.Command{Use: "estimate --project PROJECT SQL | -f FILE | -", Short: "Show what a question would cost and how far its answer would be off",
		Args: cobra.MaximumNArgs(1),
		Long: `Show price, decision and expected error of a question, from its text, the policy, public metadata and the
state of the accounts alone. Nothing is charged or logged, and no row is read. It works without a budget:
what is in the way is shown.

The error of an average depends on how many rows a group has: --group-size is your guess of it, and --release
takes the groups of an earlier answer. With --accuracy or --relative the least loss is found that is so exact.`,
		Example: `  entrepot estimate -p maths_gap --epsilon 0.5 --group-size 2000 -f question.sql
  entrepot estimate -p maths_gap --accuracy students=50,maths=2 --group-size 2000 -f question.sql`}
	var q questionFlags
	q.add(c)
	return online(c, askTimeout, func(s *session, args []string) error {
		ask, err := q.read(s, args)
		if err != nil {
			return err
		}
		return s.estimate(ask)
	})
}

func (s *session) estimate(ask questionBody) error {
	r, err := sendJSON(http.MethodPost, ask, "v1", "estimates")
	if err != nil {
		return err
	}
	var e sandbox.Estimate
	return pointed(s.ask(r, &e, func() string { return estimateText(e, s.width()) }), ask.SQL)
}

func estimateText(e sandbox.Estimate, limit int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s", printable(e.Question), decisionText(e.Decision))
	for _, c := range e.Charged {
		fmt.Fprintf(&b, "costs %s; %s\n", chargeText(c.Account, c.Charge.Clocks), admissionText(c))
		for _, a := range c.Allocations {
			verdict := "covers it"
			if !a.Admitted {
				verdict = "does not: " + printable(a.Why)
			}
			fmt.Fprintf(&b, "  allocation %s %s\n", printable(a.Name), verdict)
		}
	}
	for _, m := range e.Mechanisms {
		fmt.Fprintf(&b, "%s: %s\n", printable(m.Mechanism), printable(m.Why))
	}
	if e.Repeat {
		b.WriteString("An earlier release answers it: unless you ask for a fresh draw, nothing is charged.\n")
	}
	groups := "Groups are public: all are listed, also empty ones."
	if e.Partitions == "selected" {
		groups = "Groups are selected privately: small ones are not listed."
	}
	fmt.Fprintf(&b, "%s\n\n%s\n", groups, errorTable(e).text(limit))
	b.WriteString(groupText(e))
	if wanted(e) {
		fmt.Fprintf(&b, "The least loss for it: %s\n", lossText(e.Loss))
	}
	for _, c := range e.Aggregates {
		b.WriteString(noteText(c.Name, c.Note))
	}
	return b.String()
}

// admissionText says whether an account bears the price, and by which clocks or why not.
func admissionText(c sandbox.EstimateCharge) string {
	switch {
	case c.Admitted && len(c.Clocks) > 0:
		return "the account bears it (" + printable(strings.Join(c.Clocks, ", ")) + ")"
	case c.Admitted:
		return "the account bears it"
	case c.Why != "":
		return "the account does not bear it: " + printable(c.Why)
	default:
		return "the account does not bear it"
	}
}

// wanted reports whether an accuracy was asked for.
func wanted(e sandbox.Estimate) bool {
	for _, c := range e.Aggregates {
		if c.Target != nil {
			return true
		}
	}
	return false
}

// errorTable shows the error of each aggregate, in every group that it was asked for.
func errorTable(e sandbox.Estimate) *table {
	t := &table{columns: columns("aggregate", ">expected error")}
	if len(e.Groups) > 1 {
		t.columns = columns("aggregate")
		for _, g := range e.Groups {
			t.columns = append(t.columns, heading{g.Group + " group", true})
		}
	}
	asked := wanted(e)
	if asked {
		t.columns = append(t.columns, heading{"asked for", true})
	}
	t.columns = append(t.columns, columns("mechanism", ">scale")...)
	for _, c := range e.Aggregates {
		row := []string{c.Name, halfWidthText(c.HalfWidth)}
		for _, g := range e.Groups[min(1, len(e.Groups)):] {
			row = append(row, halfWidthText(g.HalfWidth[c.Name]))
		}
		switch {
		case asked && c.Target == nil:
			row = append(row, "")
		case asked:
			row = append(row, halfWidthText(c.Target))
		}
		t.add(append(row, c.Mechanism, short(c.Scale))...)
	}
	return t
}

// groupText says what the errors are.
func groupText(e sandbox.Estimate) string {
	what := fmt.Sprintf("Expected half-width of the %s %% interval", short(100*e.Confidence))
	rows := func(n float64) string { return grouped(fmt.Sprintf("%.0f", n)) }
	if len(e.Groups) < 2 {
		return fmt.Sprintf("%s for a group of %s rows.\n", what, rows(e.GroupSize))
	}
	var sizes []string
	for _, g := range e.Groups {
		sizes = append(sizes, g.Group+" "+rows(g.Rows)+" rows")
	}
	return fmt.Sprintf("%s in the groups of %s: %s.\n", what, printable(e.Release), printable(strings.Join(sizes, ", ")))
}

// halfWidthText is the expected error, where metadata alone tell it.
func halfWidthText(w *float64) string {
	if w == nil {
		return "depends on the rows"
	}
	return "± " + fixed(*w, decimalsFor(*w))
}
