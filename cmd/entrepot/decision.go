package main

import (
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"entrepot/access"
	"entrepot/privacy"
)

// decisionRequest is the body of POST /v1/decisions.
type decisionRequest struct {
	Dataset   string              `json:"dataset"`
	Action    access.Action       `json:"action"`
	Project   string              `json:"project,omitempty"`
	Epsilon   *privacy.Epsilon    `json:"epsilon,omitempty"`
	Principal *simulatedPrincipal `json:"principal,omitempty"`
}

type simulatedPrincipal struct {
	ID    string        `json:"id"`
	Roles []access.Role `json:"roles"`
}

func policyExplain() *cobra.Command {
	c := &cobra.Command{Use: "explain ORGANISATION.NAME", Short: "Say what would be decided, and which rule decides", Args: cobra.ExactArgs(1),
		Long: `Say what would be decided about a question, and why. Nothing is charged or logged. An owner may ask for
anybody (--as, --role), all others for themselves.`,
		Example: "  entrepot policy explain kr_edu.students --project maths_gap --epsilon 0.5 --as lab_sg/ada --role researcher"}
	f := c.Flags()
	action := f.String("action", string(access.Aggregate), "aggregate or metadata")
	project := f.String("project", "", "project in which it is asked")
	epsilon := f.String("epsilon", "", "ε that the question would cost")
	as := f.String("as", "", "who asks, organisation/name (owners)")
	roles := f.StringSlice("role", nil, "with which roles (owners)")
	c.MarkFlagsRequiredTogether("as", "role")
	choices(c, "action", string(access.Aggregate), string(access.Metadata))
	choices(c, "role", roleNames()...)
	return online(c, askTimeout, func(s *session, args []string) error {
		if _, _, err := pair("a dataset", ".", args[0]); err != nil {
			return err
		}
		q := decisionRequest{Dataset: args[0], Action: access.Action(*action), Project: *project}
		if *epsilon != "" {
			e, err := privacy.ParseEpsilon(*epsilon)
			if err != nil {
				return usage("--epsilon: %w", err)
			}
			q.Epsilon = &e
		}
		if *as != "" {
			q.Principal = &simulatedPrincipal{ID: *as, Roles: rolesOf(*roles)}
		}
		r, err := sendJSON(http.MethodPost, q, "v1", "decisions")
		if err != nil {
			return err
		}
		var d access.Decision
		return s.ask(r, &d, func() string { return decisionText(d) })
	})
}

func roleNames() []string {
	return []string{string(access.Operator), string(access.Owner), string(access.Researcher), string(access.Manager), string(access.Regulator)}
}

func rolesOf(names []string) []access.Role {
	roles := make([]access.Role, len(names))
	for i, n := range names {
		roles[i] = access.Role(n)
	}
	return roles
}

func decisionText(d access.Decision) string {
	verdict := "denied"
	if d.Allowed {
		verdict = "allowed"
	}
	return fmt.Sprintf("%s by %s: %s\n", verdict, printable(d.Rule), printable(d.Reason))
}

// period writes when a rule applies.
func period(from, until time.Time) string {
	text := ""
	if !from.IsZero() {
		text = "from " + from.UTC().Format(time.RFC3339)
	}
	if !until.IsZero() {
		if text != "" {
			text += " "
		}
		text += "until " + until.UTC().Format(time.RFC3339)
	}
	return text
}
