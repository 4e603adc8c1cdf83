package main

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"entrepot/sandbox"
)

const defaultGroupSize = 1000 // rows

func estimateCommand() *cobra.Command {
	c := &cobra.Command{Use: "estimate --project PROJECT SQL | -f FILE | -", Short: "Show what a question would cost and how far its answer would be off",
		Args: cobra.MaximumNArgs(1),
		Long: `Show price, decision and expected error of a question, from its text, the policy and public metadata
alone. Nothing is charged or logged, and no row is read. The error of an average depends on how many
rows a group has: --group-size is your guess of it.`}
	var q questionFlags
	q.add(c)
	size := c.Flags().Int64("group-size", defaultGroupSize, "rows of the group that the expected error is for")
	return online(c, askTimeout, func(s *session, args []string) error {
		if *size < 1 {
			return usage("--group-size is at least 1")
		}
		ask, err := q.read(s, args)
		if err != nil {
			return err
		}
		ask.GroupSize = *size
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
		verdict := "the account bears it"
		if !c.Admitted {
			verdict = "the account does not bear it"
		}
		fmt.Fprintf(&b, "costs %s; %s\n", chargeText(c.Account, c.Clocks), verdict)
	}
	groups := "Groups are public: all are listed, also empty ones."
	if e.Partitions == "selected" {
		groups = "Groups are selected privately: small ones are not listed."
	}
	fmt.Fprintf(&b, "%s\n\n", groups)
	t := table{columns: columns("aggregate", ">expected error", "mechanism", ">scale")}
	for _, c := range e.Aggregates {
		t.add(c.Name, halfWidthText(c.HalfWidth), c.Mechanism, short(c.Scale))
	}
	b.WriteString(t.text(limit) + "\n")
	fmt.Fprintf(&b, "Expected half-width of the %s %% interval for a group of %s rows.\n", short(100*e.Confidence), grouped(fmt.Sprintf("%.0f", e.GroupSize)))
	for _, c := range e.Aggregates {
		b.WriteString(noteText(c.Name, c.Note))
	}
	return b.String()
}

// halfWidthText is the expected error, where metadata alone tell it.
func halfWidthText(w *float64) string {
	if w == nil {
		return "depends on the rows"
	}
	return "± " + fixed(*w, decimalsFor(*w))
}
