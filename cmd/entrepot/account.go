package main

import (
	"fmt"
	"math"
	"strconv"

	"github.com/spf13/cobra"

	"entrepot/privacy"
	"entrepot/privacy/ledger"
)

func accountCommand() *cobra.Command {
	return noun("account", "Lifetime privacy budgets and what was spent of them", accountSet(), accountList())
}

// budgetBody is the body of PUT /v1/accounts.
type budgetBody struct {
	Kind    ledger.Kind     `json:"kind"`
	Epsilon privacy.Epsilon `json:"epsilon"`
	Delta   privacy.Delta   `json:"delta"`
}

func accountSet() *cobra.Command {
	c := &cobra.Command{Use: "set ORGANISATION/SPACE --epsilon ε", Short: "Fix the lifetime budget of a unit space, once (owners)", Args: cobra.ExactArgs(1),
		Long: `Fix what may ever be spent of the privacy of the people behind a set of tables. It is a promise to
them: it is made once and never grows.

A pure account counts ε alone and lists only groups that are public. A renyi account also has a Rényi
clock, by which it bears many more small questions, and a δ for groups that are selected privately.`,
		Example: `  entrepot account set kr_edu/student --epsilon 3 --delta 1e-6
  entrepot account set uk_edu/pupil --epsilon 1 --kind pure`}
	epsilon := c.Flags().String("epsilon", "", "lifetime ε")
	delta := c.Flags().String("delta", "0", "lifetime δ")
	kind := c.Flags().String("kind", "", "pure or renyi (default: renyi where δ is above 0)")
	_ = c.MarkFlagRequired("epsilon")
	choices(c, "kind", string(ledger.KindPure), string(ledger.KindRenyi))
	return online(c, askTimeout, func(s *session, args []string) error {
		org, space, err := pair("a unit space", "/", args[0])
		if err != nil {
			return err
		}
		b := budgetBody{Kind: ledger.Kind(*kind)}
		if b.Epsilon, err = privacy.ParseEpsilon(*epsilon); err != nil {
			return usage("--epsilon: %w", err)
		}
		if b.Delta, err = privacy.ParseDelta(*delta); err != nil {
			return usage("--delta: %w", err)
		}
		if b.Kind == "" && b.Delta > 0 {
			b.Kind = ledger.KindRenyi
		} else if b.Kind == "" {
			b.Kind = ledger.KindPure
		}
		var a ledger.Account
		return s.put(b, &a, func() string { return accountsText([]ledger.Account{a}, s.width()) }, "v1", "accounts", org, space)
	})
}

func accountList() *cobra.Command {
	c := &cobra.Command{Use: "list", Short: "List accounts with what was spent", Args: cobra.NoArgs}
	return online(c, askTimeout, func(s *session, _ []string) error {
		var list struct {
			Accounts []ledger.Account `json:"accounts"`
		}
		return s.ask(get("v1", "accounts"), &list, func() string { return accountsText(list.Accounts, s.width()) })
	})
}

// accountsText shows filter states: how far each clock has run, not a claim about what a release of
// the rest would be worth.
func accountsText(list []ledger.Account, limit int) string {
	t := table{columns: columns("account", "kind", ">lifetime ε", ">lifetime δ", ">Σε of cap", ">Rényi of cap", ">Σδ of cap", ">failures", "state")}
	for _, a := range list {
		state := "open"
		if a.Frozen() {
			state = "frozen"
		}
		renyi, delta := "–", "–"
		if a.Kind == ledger.KindRenyi {
			renyi = clock(a.Spent.Renyi, a.Caps.Renyi)
			delta = a.Spent.Delta.String() + " / " + a.Caps.Delta.String()
		}
		t.add(a.ID, string(a.Kind), a.Epsilon.String(), a.Delta.String(),
			a.Spent.Epsilon.String()+" / "+a.Caps.Epsilon.String(), renyi, delta,
			fmt.Sprintf("%d / %d", a.Failures, a.Allowed), state)
	}
	return t.text(limit)
}

// clock writes how far a computed clock has run: up, and its cap down, so that neither looks better
// than it is.
func clock(spent, limit privacy.Renyi) string {
	const digits = 1e4
	run := spent.String()
	if spent != math.MaxInt64 { // which is no number but "inf"
		run = strconv.FormatFloat(math.Ceil(float64(spent)/1e12*digits)/digits, 'f', -1, 64)
	}
	return run + " / " + strconv.FormatFloat(math.Floor(float64(limit)/1e12*digits)/digits, 'f', -1, 64)
}
