package access

import "strings"

// maxID is the length of the longest identifier, in bytes.
const maxID = 63

// anyValue stands for every value in a rule's list.
const anyValue = "*"

// validID says whether s is [a-z][a-z0-9_]*, at most 63 bytes: the form of the names of
// organisations, projects, datasets, rules and principals.
func validID(s string) bool {
	if s == "" || len(s) > maxID || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return true
}

// validPair says whether s is two identifiers with sep between them: org.dataset or org/name.
func validPair(s, sep string) bool {
	first, second, found := strings.Cut(s, sep)
	return found && validID(first) && validID(second)
}

const idForm = "a lower-case letter, then lower-case letters, digits and _, 63 at most"

// Known says whether r is one of the roles there are.
func (r Role) Known() bool {
	switch r {
	case Operator, Owner, Researcher, Manager, Regulator:
		return true
	}
	return false
}

func roleNames() []string {
	return []string{string(Operator), string(Owner), string(Researcher), string(Manager), string(Regulator)}
}

// Known says whether a is one of the actions there are.
func (a Action) Known() bool { return a == Metadata || a == Aggregate }

func actionNames() []string { return []string{string(Metadata), string(Aggregate)} }

// problem returns what is wrong with p, "" if nothing: its identifier must begin with its organisation, and it
// must have roles from the closed list, each once.
func (p Principal) problem() string {
	org, _, _ := strings.Cut(p.ID, "/")
	switch {
	case !validPair(p.ID, "/"):
		return "the principal is not org/name"
	case org != p.Organisation:
		return "the principal is of another organisation than it says"
	case len(p.Roles) == 0:
		return "the principal has no role"
	}
	for i, role := range p.Roles {
		if !role.Known() {
			return "the principal has an unknown role"
		}
		for _, earlier := range p.Roles[:i] {
			if earlier == role {
				return "the principal has a role twice"
			}
		}
	}
	return ""
}
