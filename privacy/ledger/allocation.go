package ledger

import (
	"fmt"
	"strings"

	"entrepot/privacy"
)

// Allocation caps what some of those who ask may spend of an account. It makes no claim of its own; the
// account holds whatever its allocations add up to.
type Allocation struct {
	Account  string         `json:"account"`  // org/space
	Name     string         `json:"name"`     // within the account
	Revision int64          `json:"revision"` // 1 when it is made; each change adds one
	Scope    Scope          `json:"scope"`
	Caps     privacy.Clocks `json:"caps"`  // each holds; privacy.Unlimited caps nothing
	Spent    privacy.Clocks `json:"spent"` // since it was made
}

// Scope says whose questions count. Each part that is given must fit, so that "of this project" holds "of this
// project, by this researcher".
type Scope struct {
	Project      string `json:"project,omitempty"`
	Organisation string `json:"organisation,omitempty"`
	Researcher   string `json:"researcher,omitempty"` // org/name
}

// Asker is who asks, for what.
type Asker struct {
	Project    string
	Researcher string // org/name
}

// Covers reports whether an asker's questions count. The organisation is the researcher's.
func (s Scope) Covers(a Asker) bool {
	org, _, _ := strings.Cut(a.Researcher, "/")
	return (s.Project == "" || s.Project == a.Project) &&
		(s.Organisation == "" || s.Organisation == org) &&
		(s.Researcher == "" || s.Researcher == a.Researcher)
}

// Admit returns the allocation after a charge to its account, or ErrAllocated, wrapped with its name.
func (a Allocation) Admit(c Charge) (Allocation, error) {
	a.Spent = a.Spent.Plus(c.Loss)
	if !a.Spent.Within(a.Caps) {
		return Allocation{}, fmt.Errorf("account %s, allocation %s: %w", a.Account, a.Name, ErrAllocated)
	}
	return a, nil
}

// Amend returns the allocation with another scope or other caps; what was spent stays, also where it is more
// than the new caps: then nothing fits until they are raised. Validate the result.
func (a Allocation) Amend(scope Scope, caps privacy.Clocks) Allocation {
	a.Revision, a.Scope, a.Caps = a.Revision+1, scope, caps
	return a
}

// Validate checks an allocation against its account. Errors wrap ErrAccount and can be shown to the owner.
func (a Allocation) Validate(of Account) error {
	switch {
	case a.Account != of.ID || !validName(a.Name):
		return fmt.Errorf("%w: %.64q is not the name of an allocation such as maths_gap", ErrAccount, a.Name)
	case a.Revision < 1 || a.Spent.Negative():
		return fmt.Errorf("%w: allocation %s has revision %d, or negative clocks", ErrAccount, a.Name, a.Revision)
	case a.Scope == (Scope{}):
		return fmt.Errorf("%w: allocation %s is nobody's; name a project, an organisation or a researcher (a schedule caps everybody)", ErrAccount, a.Name)
	case a.Scope.Project != "" && !validName(a.Scope.Project), a.Scope.Organisation != "" && !validName(a.Scope.Organisation):
		return fmt.Errorf("%w: allocation %s: a project or an organisation has a name such as maths_gap", ErrAccount, a.Name)
	case a.Scope.Researcher != "" && !validResearcher(a.Scope.Researcher):
		return fmt.Errorf("%w: allocation %s: %.130q is not a researcher such as sg_lab/lee", ErrAccount, a.Name, a.Scope.Researcher)
	case a.Caps == NoLimit(of.Promise.Orders):
		return fmt.Errorf("%w: allocation %s caps nothing; cap epsilon, renyi or delta", ErrAccount, a.Name)
	}
	return validateLimits(a.Caps, of.Promise.Orders)
}

// validResearcher reports whether s is org/name, as principals are written.
func validResearcher(s string) bool {
	org, name, found := strings.Cut(s, "/")
	return found && validName(org) && name != "" && len(s) <= 255 && !strings.ContainsAny(name, "/ \t\r\n")
}
