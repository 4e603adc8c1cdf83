package privacy

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestTreeShapes(t *testing.T) {
	for _, c := range []struct {
		lower, upper int64
		want         Tree
	}{
		{0, 0, Tree{0, 0, 1, 1, 2}},
		{0, 1, Tree{0, 1, 1, 1, 2}},
		{1, 5, Tree{1, 5, 1, 1, 5}},
		{0, 15, Tree{0, 15, 1, 1, 16}},
		{0, 16, Tree{0, 16, 1, 2, 5}},
		{-50, 50, Tree{-50, 50, 1, 2, 11}},
		{0, 255, Tree{0, 255, 1, 2, 16}},
		{0, 256, Tree{0, 256, 1, 3, 7}},
		{0, 65_535, Tree{0, 65_535, 1, 4, 16}},
		{0, 65_536, Tree{0, 65_536, 2, 4, 14}},
		{0, 1_000_000, Tree{0, 1_000_000, 16, 4, 16}},
		{-1<<53 + 1, 1<<53 - 1, Tree{-1<<53 + 1, 1<<53 - 1, 1 << 38, 4, 16}},
	} {
		if got := NewTree(c.lower, c.upper); got != c.want {
			t.Errorf("%d … %d: %+v, want %+v", c.lower, c.upper, got, c.want)
		}
	}
}

// wideTree is any tree, often a small one.
func wideTree(t *rapid.T) Tree {
	lower := rapid.Int64Range(-1<<53+1, 1<<53-1).Draw(t, "lower")
	upper := lower + rapid.Int64Range(0, 1<<uint(rapid.IntRange(0, 53).Draw(t, "log2 width"))).Draw(t, "width")
	return NewTree(lower, min(upper, 1<<53-1))
}

func TestTreeDividesTheBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tree := wideTree(t)
		if tree.Leaves() > tree.capacity(0) || tree.capacity(0) > 1<<16 || tree.Height > 4 || tree.Branching > 16 || tree.Branching < 2 {
			t.Fatalf("%+v has %d leaves and holds %d", tree, tree.Leaves(), tree.capacity(0))
		}
		if tree.first(0) != tree.Lower || tree.last(tree.Leaves()-1) != tree.Upper {
			t.Fatalf("%+v covers %d … %d", tree, tree.first(0), tree.last(tree.Leaves()-1))
		}
		x := rapid.Int64Range(tree.Lower, tree.Upper).Draw(t, "x")
		leaf := tree.Leaf(x)
		if x < tree.first(leaf) || x > tree.last(leaf) || leaf < 0 || leaf >= tree.Leaves() {
			t.Fatalf("%+v: %d is in leaf %d, %d … %d", tree, x, leaf, tree.first(leaf), tree.last(leaf))
		}
		if leaf > 0 && tree.last(leaf-1)+1 != tree.first(leaf) {
			t.Fatalf("%+v: a gap before leaf %d", tree, leaf)
		}
		if tree.Width > 1 && (tree.Upper-tree.Lower)/(tree.Width-1) < 1<<16 {
			t.Fatalf("%+v: its leaves could be narrower", tree)
		}
	})
}

// TestNodesDivideTheirParents walks all of a tree: children cover their parent without gap or overlap,
// have numbers of their own, and every leaf is reached at the last level.
func TestNodesDivideTheirParents(t *testing.T) {
	for _, tree := range []Tree{NewTree(3, 3), NewTree(0, 16), NewTree(-7, 99), NewTree(0, 300), NewTree(0, 9999)} {
		seen := map[int64]bool{}
		var walk func(n node)
		walk = func(n node) {
			if seen[tree.id(n)] {
				t.Fatalf("%+v: node %d twice", tree, tree.id(n))
			}
			seen[tree.id(n)] = true
			next, end := tree.leaves(n)
			if n.level == tree.Height {
				if end != next+1 {
					t.Fatalf("%+v: leaf %+v covers %d … %d", tree, n, next, end)
				}
				return
			}
			for _, child := range tree.children(n) {
				first, last := tree.leaves(child)
				if first != next || last <= first {
					t.Fatalf("%+v: child %+v starts at %d, not %d", tree, child, first, next)
				}
				next = last
				walk(child)
			}
			if next != end {
				t.Fatalf("%+v: the children of %+v end at %d, not %d", tree, n, next, end)
			}
		}
		walk(node{})
	}
}

// TestTreeCounts compares every node with a count of the rows in its leaves, before and after one row
// more: that moves one node of each level by one.
func TestTreeCounts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tree := NewTree(0, rapid.Int64Range(0, 400).Draw(t, "upper"))
		values := rapid.SliceOfN(rapid.Int64Range(0, tree.Upper), 1, 40).Draw(t, "values")
		counts := newTreeCounts(tree, leavesOf(tree, values))
		fewer := newTreeCounts(tree, leavesOf(tree, values[1:]))
		if !tree.fits(leavesOf(tree, values), int64(len(values))) {
			t.Fatal("its own leaves do not fit")
		}
		var check func(n node)
		check = func(n node) {
			first, end := tree.leaves(n)
			want := int64(0)
			for _, x := range values {
				if leaf := tree.Leaf(x); first <= leaf && leaf < end {
					want++
				}
			}
			moved := int64(0)
			if leaf := tree.Leaf(values[0]); first <= leaf && leaf < end {
				moved = 1
			}
			if counts.rows(n) != want || counts.rows(n)-fewer.rows(n) != moved {
				t.Fatalf("%+v: node %+v has %d, without one row %d, want %d", tree, n, counts.rows(n), fewer.rows(n), want)
			}
			if n.level < tree.Height {
				for _, child := range tree.children(n) {
					check(child)
				}
			}
		}
		check(node{})
	})
}

// leavesOf is what an engine delivers for values.
func leavesOf(t Tree, values []int64) []Leaf {
	var leaves []Leaf
	values = slices.Clone(values)
	slices.Sort(values)
	for _, x := range values {
		if i := t.Leaf(x); len(leaves) > 0 && leaves[len(leaves)-1].Index == i {
			leaves[len(leaves)-1].Rows++
		} else {
			leaves = append(leaves, Leaf{Index: i, Rows: 1})
		}
	}
	return leaves
}

func TestLeavesThatDoNotFit(t *testing.T) {
	tree := NewTree(0, 20)
	for name, leaves := range map[string][]Leaf{
		"negative":     {{-1, 3}},
		"beyond":       {{21, 3}},
		"twice":        {{4, 1}, {4, 2}},
		"descending":   {{5, 1}, {4, 2}},
		"empty leaf":   {{4, 0}, {5, 3}},
		"negative row": {{4, -1}, {5, 4}},
		"too many":     {{4, 4}},
		"too few":      {{4, 2}},
		"wrapping":     {{4, 1<<63 - 1}, {5, 1<<63 - 1}, {6, 5}},
		"none":         nil,
	} {
		if tree.fits(leaves, 3) {
			t.Errorf("%s: %v are 3 rows", name, leaves)
		}
	}
	if !tree.fits(nil, 0) || !tree.fits([]Leaf{{0, 1}, {20, 2}}, 3) {
		t.Error("leaves that fit are refused")
	}
}

func TestNodesAreDrawnOnce(t *testing.T) {
	tree := NewTree(0, 99)
	counts, drawn := newTreeCounts(tree, leavesOf(tree, []int64{1, 2, 3, 50})), map[int64]int{}
	draw := func(id, exact int64) (noisy, error) {
		drawn[id]++
		return noisy{steps: exact}, nil
	}
	for _, rank := range []float64{0, 0.25, 0.5, 0.5, 0.75, 1} {
		if _, err := quantileCell(tree, counts, draw, laplaceOf(1), Aggregate{Kind: Quantile, Rank: rank, Upper: 99, Step: Step{1, 1}}); err != nil {
			t.Fatal(err)
		}
	}
	for id, times := range drawn {
		if times != 1 || id < 1 {
			t.Errorf("node %d was drawn %d times", id, times)
		}
	}
	if len(drawn) < 10 || len(drawn) > 110 {
		t.Errorf("%d nodes were drawn", len(drawn))
	}
}
