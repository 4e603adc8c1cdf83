package privacy

import (
	"encoding/json"
	"reflect"
	"testing"
)

// precision is that of a count, and a mean of a nullable argument, in two public groups or in private ones.
func precision(t *testing.T, loss Loss, change ...func(*Question)) Precision {
	t.Helper()
	q := Question{
		Aggregates: []Aggregate{
			{Kind: Count, Argument: NoArgument},
			{Kind: Mean, Argument: 0, Lower: 0, Upper: 100, Step: Step{Num: 1, Den: 10}},
		},
		Contribution: Contribution{MaxPartitions: 2, MaxRowsPerPartition: 1, MaxRows: 2},
		Partitions:   Partitions{Keys: []string{"a", "b"}, PreThreshold: 1},
		Loss:         loss,
	}
	for _, f := range change {
		f(&q)
	}
	s, err := NewSpec(q)
	if err != nil {
		t.Fatal(err)
	}
	return s.Precision()
}

func private(q *Question) { q.Partitions.Keys = nil }

// TestServes compares releases of one basis, by their loss.
func TestServes(t *testing.T) {
	const delta, tiny = OneDelta / 1e8, 3 * (OneDelta / 1e11)
	epsilon := func(thousandths int64) Loss {
		return Loss{Epsilon: OneEpsilon / 1000 * Epsilon(thousandths), Delta: delta}
	}
	rho := func(millionths int64, m Mechanism) Loss {
		return Loss{Rho: OneRho / 1e6 * Rho(millionths), Delta: delta, Mechanism: m}
	}
	heavy := func(q *Question) { q.Aggregates[0].Weight = 10 }
	for _, test := range []struct {
		name         string
		stored       Precision
		asked        Precision
		serves, back bool
	}{
		{"the same", precision(t, epsilon(100)), precision(t, epsilon(100)), true, true},
		{"more ε", precision(t, epsilon(101)), precision(t, epsilon(100)), true, false},
		{"much more ε", precision(t, epsilon(500)), precision(t, epsilon(100)), true, false},
		{"a weight takes from the others", precision(t, epsilon(100), heavy), precision(t, epsilon(100)), false, false},
		{"a weight of a larger ε", precision(t, epsilon(1000), heavy), precision(t, epsilon(100)), true, false},
		{"Gaussian noise at the same ρ", precision(t, rho(1000, Gaussian)), precision(t, rho(1000, Laplace)), true, false},
		{"Laplace noise at a much larger ρ", precision(t, rho(4000, Laplace)), precision(t, rho(1000, Gaussian)), true, false},
		{"Laplace noise at a somewhat larger ρ", precision(t, rho(1300, Laplace)), precision(t, rho(1000, Gaussian)), false, true},
		{"private groups", precision(t, epsilon(500), private), precision(t, epsilon(100), private), true, false},
		{"public groups for private ones", precision(t, epsilon(500)), precision(t, epsilon(100), private), false, false},
		{"less δ", precision(t, Loss{Epsilon: OneEpsilon, Delta: delta - 1}, private), precision(t, epsilon(100), private), false, false},
		{"more δ", precision(t, Loss{Epsilon: OneEpsilon, Delta: delta + 1}, private), precision(t, epsilon(100), private), true, false},
		// A decision's ε is so large that rounding takes more than a third of its δ.
		{"δ lost to rounding", precision(t, Loss{Epsilon: 60 * OneEpsilon, Delta: tiny}, private), precision(t, Loss{Epsilon: OneEpsilon, Delta: tiny}, private), false, false},
	} {
		both := []int{0, 1}
		if got := test.stored.Serves(test.asked, both); got != test.serves {
			t.Errorf("%s: %t", test.name, got)
		}
		if got := test.asked.Serves(test.stored, both); got != test.back {
			t.Errorf("%s, the other way round: %t", test.name, got)
		}
		if test.serves && test.stored.Compare(both, test.asked, both) > 0 || test.back && test.asked.Compare(both, test.stored, both) > 0 {
			t.Errorf("%s: what serves is ordered after the other", test.name)
		}
		if got, want := test.stored.Equals(test.asked, both), test.name == "the same"; got != want {
			t.Errorf("%s: equal is %t", test.name, got)
		}
		var read Precision
		if b, err := json.Marshal(test.stored); err != nil || json.Unmarshal(b, &read) != nil || !reflect.DeepEqual(read, test.stored) {
			t.Errorf("%s: %s is read as %+v (%v)", test.name, b, read, err)
		}
	}
}

// TestServesPart: a release with more aggregates serves a question of one of them.
func TestServesPart(t *testing.T) {
	one := precision(t, Loss{Epsilon: OneEpsilon / 3}, func(q *Question) { q.Aggregates = q.Aggregates[1:] })
	all := precision(t, Loss{Epsilon: OneEpsilon / 2}) // a third of it for each of three draws, as one has a half of its own
	if !all.Serves(one, []int{1}) || all.Serves(one, []int{0}) || all.Serves(one, []int{2}) || all.Serves(one, []int{-1}) || all.Serves(one, nil) {
		t.Errorf("%+v %+v", all, one)
	}
	if all.Compare([]int{1}, one, []int{0}) != 0 {
		t.Errorf("%+v and %+v are of one variance", all, one)
	}
	if precision(t, Loss{Epsilon: OneEpsilon/2 - 10}).Serves(one, []int{1}) {
		t.Error("less than the share serves")
	}
}
