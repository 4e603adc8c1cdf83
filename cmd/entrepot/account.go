package main

import (
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"entrepot/privacy"
	"entrepot/privacy/ledger"
	"entrepot/sandbox"
)

func accountCommand() *cobra.Command {
	return noun("account", "Lifetime privacy budgets, what was spent of them, and who may spend the rest",
		accountOpen(), accountSet(), accountShow(), accountList(), accountAllocate(), accountDeallocate(), accountMerge())
}

// accountBody is the body of PUT /v1/accounts/{org}/{space}.
type accountBody struct {
	Kind             ledger.Kind            `json:"kind"`
	Epsilon          privacy.Epsilon        `json:"epsilon"`
	Delta            privacy.Delta          `json:"delta"`
	Orders           []sandbox.AccountOrder `json:"orders,omitempty"`
	FailureAllowance int64                  `json:"failure_allowance,omitempty"`
	Question         *capsBody              `json:"question,omitempty"`
	DefaultEpsilon   privacy.Epsilon        `json:"default_epsilon,omitzero"`
	Schedule         []ledger.Step          `json:"schedule,omitempty"`
	NewPromise       bool                   `json:"new_promise,omitempty"`
	Reason           string                 `json:"reason,omitempty"`
}

// amendment is a body that changes nothing of an account.
func amendment(a sandbox.AccountInfo) accountBody {
	return accountBody{Kind: a.Kind, Epsilon: a.Epsilon, Delta: a.Delta, FailureAllowance: a.FailureAllowance,
		Question: newCaps(a.Question, ordersOf(a)), DefaultEpsilon: a.DefaultEpsilon, Schedule: a.Schedule}
}

// ordersOf are the orders of an account's Rényi clocks.
func ordersOf(a sandbox.AccountInfo) (orders privacy.Orders) {
	for k, o := range a.Orders[:min(len(a.Orders), len(orders))] {
		orders[k] = o.Order
	}
	return orders
}

func accountOpen() *cobra.Command {
	c := &cobra.Command{Use: "open ORGANISATION/SPACE --epsilon ε", Short: "Promise the people of a unit space a lifetime budget (owners)", Args: cobra.ExactArgs(1),
		Long: `Fix what may ever be spent of the privacy of the people behind a set of tables. It is a promise to
them: kind and orders never change, and the budget is never lowered.

A pure account counts ε alone and lists only groups that are public. A renyi account also has Rényi
clocks, by which it bears many more small questions, and a δ for groups that are selected privately.`,
		Example: `  entrepot account open kr_edu/student --epsilon 3 --delta 1e-6
  entrepot account open uk_edu/pupil --epsilon 1 --kind pure --max-epsilon 0.1`}
	lifetime := addLifetime(c)
	kind := c.Flags().String("kind", "", "pure or renyi (default: renyi where δ is above 0)")
	orders := c.Flags().StringSlice("order", nil, "Rényi order and its part of δ, such as 23.256=4.5e-7; once for each clock (default: two that suit most)")
	terms := addTerms(c)
	reason := c.Flags().String("reason", "", "why, for the log")
	_ = c.MarkFlagRequired("epsilon")
	choices(c, "kind", string(ledger.KindPure), string(ledger.KindRenyi))
	return online(c, askTimeout, func(s *session, args []string) error {
		org, space, err := pair("a unit space", "/", args[0])
		if err != nil {
			return err
		}
		b := accountBody{Kind: ledger.Kind(*kind), Reason: *reason}
		if err := lifetime.read(&b); err != nil {
			return err
		}
		if b.Kind == "" && b.Delta > 0 {
			b.Kind = ledger.KindRenyi
		} else if b.Kind == "" {
			b.Kind = ledger.KindPure
		}
		if b.Orders, err = parseOrders(*orders); err != nil {
			return err
		}
		if err := terms.read(&b); err != nil {
			return err
		}
		var a sandbox.AccountInfo
		return s.put(b, &a, func() string { return accountText(a, s.width()) }, "v1", "accounts", org, space)
	})
}

func accountSet() *cobra.Command {
	c := &cobra.Command{Use: "set ORGANISATION/SPACE --reason WHY", Short: "Change the terms of an account, or make a new promise (owners)", Args: cobra.ExactArgs(1),
		Long: `Change what is given; the rest stays. The budget is never lowered, because more of it may be spent
already: to let less be spent, or to release it over time, give a schedule. A larger budget is a new
promise to people who relied on the old one, so --new-promise has to say that it is meant.

A frozen account is opened again by a larger --failure-allowance.`,
		Example: `  entrepot account set kr_edu/student --schedule 2027-01-01=0.5,2028-01-01=1 --reason 'half a year'
  entrepot account set kr_edu/student --max-epsilon 0.5 --default-epsilon 0.1 --reason 'smaller questions'
  entrepot account set kr_edu/student --epsilon 5 --new-promise --reason 'agreed with the school board'`}
	lifetime, terms := addLifetime(c), addTerms(c)
	newPromise := c.Flags().Bool("new-promise", false, "the budget is meant to be raised")
	change := addChange(c, "account")
	return online(c, askTimeout, func(s *session, args []string) error {
		org, space, err := pair("a unit space", "/", args[0])
		if err != nil {
			return err
		}
		path := []string{"v1", "accounts", org, space}
		var a sandbox.AccountInfo
		tag, err := s.revised(change.match, &a, path...)
		if err != nil {
			return err
		}
		b := amendment(a)
		b.NewPromise, b.Reason = *newPromise, change.reason
		if err := lifetime.read(&b); err != nil {
			return err
		}
		if err := terms.read(&b); err != nil {
			return err
		}
		return s.putAt(tag, b, &a, func() string { return accountText(a, s.width()) }, path...)
	})
}

func accountShow() *cobra.Command {
	c := &cobra.Command{Use: "show ORGANISATION/SPACE", Short: "Show an account: its promise, its clocks, how long it lasts, its allocations", Args: cobra.ExactArgs(1)}
	return online(c, askTimeout, func(s *session, args []string) error {
		org, space, err := pair("a unit space", "/", args[0])
		if err != nil {
			return err
		}
		var a sandbox.AccountInfo
		return s.ask(get("v1", "accounts", org, space), &a, func() string { return accountText(a, s.width()) })
	})
}

func accountList() *cobra.Command {
	c := &cobra.Command{Use: "list", Short: "List accounts with what was spent", Args: cobra.NoArgs}
	return online(c, askTimeout, func(s *session, _ []string) error {
		var list struct {
			Accounts []sandbox.AccountInfo `json:"accounts"`
		}
		return s.ask(get("v1", "accounts"), &list, func() string { return accountsText(list.Accounts, s.width()) })
	})
}

// change is what every change of an account or an allocation says.
type change struct{ match, reason string }

func addChange(c *cobra.Command, what string) *change {
	var into change
	c.Flags().StringVar(&into.match, "if-match", "", "revision of the "+what+" that is changed (default: the one in force)")
	c.Flags().StringVar(&into.reason, "reason", "", "why, for the log")
	_ = c.MarkFlagRequired("reason")
	return &into
}

// revised reads a resource into v and returns the ETag to change it by: that of the revision in match, "" for
// revision 0, else the resource's. The error may be that there is none.
func (s *session) revised(match string, v any, path ...string) (tag string, err error) {
	_, header, err := s.client.fetch(s.ctx, get(path...), v)
	switch match {
	case "":
		return header.Get("ETag"), err
	case "0":
		return "", err
	default:
		return `"` + strings.Trim(match, `"`) + `"`, err
	}
}

// putAt puts v over the revision of an ETag, "" for none, and prints the answer.
func (s *session) putAt(tag string, v, answer any, render func() string, path ...string) error {
	r, err := sendJSON(http.MethodPut, v, path...)
	if err != nil {
		return err
	}
	if tag != "" {
		r.header = http.Header{"If-Match": {tag}}
	}
	return s.ask(r, answer, render)
}
