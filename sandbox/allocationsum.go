package sandbox

import (
	"strings"

	"entrepot/privacy"
	"entrepot/privacy/ledger"
)

// allocated is what allocations may still spend in all, on each clock that they cap.
func allocated(list []ledger.Allocation) privacy.Clocks {
	sum := privacy.Clocks{
		Epsilon: allocatedOn(list, func(c privacy.Clocks) privacy.Epsilon { return c.Epsilon }),
		Delta:   allocatedOn(list, func(c privacy.Clocks) privacy.Delta { return c.Delta }),
	}
	for k := range sum.Renyi {
		sum.Renyi[k] = allocatedOn(list, func(c privacy.Clocks) privacy.Renyi { return c.Renyi[k] })
	}
	return sum
}

// allocatedOn is what allocations may still spend on one clock. Where one is within another, the wider is
// counted, since it holds both; of two with one scope that which has less left.
func allocatedOn[A ~int64](list []ledger.Allocation, clock func(privacy.Clocks) A) A {
	var sum A
	left := func(i int) A { return clock(list[i].Caps.Minus(list[i].Spent)) }
	for i, a := range list {
		counted := clock(a.Caps) != privacy.Unlimited
		for j, b := range list {
			if i == j || clock(b.Caps) == privacy.Unlimited || !covers(b, a) {
				continue
			}
			same := covers(a, b)
			if !same || left(j) < left(i) || left(j) == left(i) && j < i {
				counted = false
			}
		}
		if counted {
			sum += min(left(i), privacy.Unlimited-sum)
		}
	}
	return sum
}

// covers reports whether all whose questions count in b count in a too.
func covers(a, b ledger.Allocation) bool {
	org, _, _ := strings.Cut(b.Scope.Researcher, "/")
	return (a.Scope.Project == "" || a.Scope.Project == b.Scope.Project) &&
		(a.Scope.Researcher == "" || a.Scope.Researcher == b.Scope.Researcher) &&
		(a.Scope.Organisation == "" || a.Scope.Organisation == b.Scope.Organisation || a.Scope.Organisation == org)
}
