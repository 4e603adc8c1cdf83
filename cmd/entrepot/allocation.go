package main

import (
	"net/http"
	"net/url"

	"github.com/spf13/cobra"

	"entrepot/privacy/ledger"
	"entrepot/sandbox"
)

// allocationBody is the body of PUT /v1/accounts/{org}/{space}/allocations/{name}.
type allocationBody struct {
	Scope  ledger.Scope `json:"scope"`
	Caps   *capsBody    `json:"caps"`
	Reason string       `json:"reason"`
}

func accountAllocate() *cobra.Command {
	c := &cobra.Command{Use: "allocate ORGANISATION/SPACE NAME --reason WHY", Short: "Cap what some of those who ask may spend (owners)", Args: cobra.ExactArgs(2),
		Long: `Make an allocation, or change what is given of one; caps that are not given stay, and so does the
scope, unless some of it is given. A question counts in every
allocation whose scope covers who asks it: each of project, organisation and researcher that is named
must fit, so that one allocation can lie within another. It must fit all of them, and the account.

Allocations may add up to more than the account, which holds all the same. A cap below what is
spent lets nothing more be spent until it is raised.`,
		Example: `  entrepot account allocate kr_edu/student lab --organisation lab_sg --epsilon 1 --reason 'their first year'
  entrepot account allocate kr_edu/student ada --researcher lab_sg/ada --epsilon 0.5 --reason 'half of it for one'
  entrepot account allocate kr_edu/student lab --epsilon 2 --reason 'they published'`}
	var scope ledger.Scope
	c.Flags().StringVar(&scope.Project, "project", "", "whose questions: in this project")
	c.Flags().StringVar(&scope.Organisation, "organisation", "", "of this organisation's researchers")
	c.Flags().StringVar(&scope.Researcher, "researcher", "", "of this researcher, ORGANISATION/NAME")
	caps := addCaps(c, "", "the most %s that they may cost in all; inf for no cap")
	change := addChange(c, "allocation, 0 to make one")
	return online(c, askTimeout, func(s *session, args []string) error {
		path, err := allocationPath(args)
		if err != nil {
			return err
		}
		var now sandbox.AllocationInfo
		tag, err := s.revised(change.match, &now, path...)
		b := allocationBody{Scope: now.Scope, Reason: change.reason}
		if p, ok := asProblem(err); err == nil {
			b.Caps = newCaps(now.Caps, now.Orders)
		} else if !ok || p.Code != sandbox.CodeNotFound {
			return err
		}
		if scope != (ledger.Scope{}) {
			b.Scope = scope
		}
		if b.Caps, err = caps.over(b.Caps); err != nil {
			return err
		}
		if b.Caps == nil {
			b.Caps = &capsBody{}
		}
		var a sandbox.AllocationInfo
		return s.putAt(tag, b, &a, func() string { return allocationText(a) }, path...)
	})
}

func accountDeallocate() *cobra.Command {
	c := &cobra.Command{Use: "deallocate ORGANISATION/SPACE NAME --reason WHY", Short: "Take an allocation away (owners)", Args: cobra.ExactArgs(2),
		Long: "Take an allocation away. Those whose questions counted in it spend from the account without its caps."}
	change := addChange(c, "allocation")
	return online(c, askTimeout, func(s *session, args []string) error {
		path, err := allocationPath(args)
		if err != nil {
			return err
		}
		var now sandbox.AllocationInfo
		tag, err := s.revised(change.match, &now, path...)
		if err != nil {
			return err
		}
		r := call{method: http.MethodDelete, path: path, query: url.Values{"reason": {change.reason}}, header: http.Header{"If-Match": {tag}}}
		if _, _, err := s.client.fetch(s.ctx, r, nil); err != nil {
			return err
		}
		return s.show([]byte("{}"), func() string { return "The allocation " + printable(now.Name) + " is gone.\n" })
	})
}

func allocationPath(args []string) ([]string, error) {
	org, space, err := pair("a unit space", "/", args[0])
	return []string{"v1", "accounts", org, space, "allocations", args[1]}, err
}

func allocationText(a sandbox.AllocationInfo) string {
	return printable(a.Account) + " allocates " + printable(a.Name) + ": " + printable(scopeText(a.Scope)) + "; spent " +
		spentText(a) + " of " + capsText(a.Caps, a.Orders) + "\n"
}
