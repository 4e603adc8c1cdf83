package privacy

import "sort"

// maxTreeHeight and maxBranching bound a tree to 16^4 leaves: wider bounds get wider leaves.
const (
	maxTreeHeight = 4
	maxBranching  = 16
)

// Tree divides the values between two bounds into leaves of equal width, and those into nodes on
// several levels, so that any rank is found by a few noisy counts. It is fixed by the bounds alone.
//
// Levels are counted from 1, the children of the root; leaves are at level Height. The root's own
// count is never measured.
type Tree struct {
	Lower, Upper int64 // [steps]
	Width        int64 // of a leaf [steps]; the last one may be narrower
	Height       int   // levels
	Branching    int   // children of each node; the last ones may lie beyond Upper and hold nothing
}

// NewTree is the tree over lower … upper, which are within ±2^53 and rise.
//
// Each level of a tree takes noise of its own, so it has as few as leaves of one step allow with 16
// children to a node, and four where leaves must be wider. The children of a node then are as few as
// hold all leaves: fewer noisy counts add up to a rank.
func NewTree(lower, upper int64) Tree {
	steps := upper - lower + 1
	t := Tree{Lower: lower, Upper: upper, Width: 1, Height: 1, Branching: maxBranching}
	for t.Height < maxTreeHeight && t.capacity(0) < steps {
		t.Height++
	}
	capacity := t.capacity(0)
	t.Width = (steps + capacity - 1) / capacity
	for t.Branching > 2 && t.fewer().capacity(0) >= t.Leaves() {
		t.Branching--
	}
	return t
}

func (t Tree) fewer() Tree { t.Branching--; return t }

// capacity is how many leaves a node at a level can have below it: Branching^(Height − level).
func (t Tree) capacity(level int) int64 {
	leaves := int64(1)
	for range t.Height - level {
		leaves *= int64(t.Branching)
	}
	return leaves
}

// Leaf is the leaf of a value within the bounds [steps].
func (t Tree) Leaf(x int64) int64 { return (x - t.Lower) / t.Width }

// Leaves is how many leaves hold values.
func (t Tree) Leaves() int64 { return t.Leaf(t.Upper) + 1 }

// first and last are the least and the greatest value of a leaf [steps].
func (t Tree) first(leaf int64) int64 { return t.Lower + leaf*t.Width }
func (t Tree) last(leaf int64) int64  { return min(t.first(leaf)+t.Width-1, t.Upper) }

// node is a node of a tree: level 0 is the root; index counts the nodes of its level from the left.
type node struct {
	level int
	index int64
}

// id numbers the nodes level by level from the root, which is 0.
func (t Tree) id(n node) int64 {
	before, width := int64(0), int64(1)
	for range n.level {
		before += width
		width *= int64(t.Branching)
	}
	return before + n.index
}

// leaves are the first leaf of a node and the one after its last. Both are Leaves where it lies
// beyond the upper bound.
func (t Tree) leaves(n node) (first, end int64) {
	each := t.capacity(n.level)
	return min(n.index*each, t.Leaves()), min((n.index+1)*each, t.Leaves())
}

// children are the children of a node that hold values.
func (t Tree) children(n node) []node {
	children := make([]node, 0, t.Branching)
	for i := range int64(t.Branching) {
		child := node{level: n.level + 1, index: n.index*int64(t.Branching) + i}
		if first, end := t.leaves(child); first < end {
			children = append(children, child)
		}
	}
	return children
}

// treeCounts are the exact counts of every node of one partition's tree, and the noisy ones that were
// drawn: a node is drawn once, for whatever rank it is needed.
type treeCounts struct {
	tree  Tree
	index []int64 // leaves with rows, ascending
	upTo  []int64 // rows in these leaves and all before; one more than index, starting with 0
	drawn map[int64]noisy
}

// newTreeCounts takes leaves that fit the tree; see fits.
func newTreeCounts(t Tree, leaves []Leaf) *treeCounts {
	c := &treeCounts{tree: t, index: make([]int64, len(leaves)), upTo: make([]int64, len(leaves)+1), drawn: map[int64]noisy{}}
	for i, leaf := range leaves {
		c.index[i] = leaf.Index
		c.upTo[i+1] = c.upTo[i] + leaf.Rows
	}
	return c
}

// fits reports whether leaves are those of so many values: rising, within the tree, none of them empty.
func (t Tree) fits(leaves []Leaf, values int64) bool {
	next := int64(0)
	for _, leaf := range leaves {
		if leaf.Index < next || leaf.Index >= t.Leaves() || leaf.Rows < 1 || leaf.Rows > values {
			return false
		}
		next, values = leaf.Index+1, values-leaf.Rows
	}
	return values == 0
}

// rows is the exact count of a node.
func (c *treeCounts) rows(n node) int64 {
	first, end := c.tree.leaves(n)
	return c.before(end) - c.before(first)
}

// before is the number of rows in all leaves before one.
func (c *treeCounts) before(leaf int64) int64 {
	return c.upTo[sort.Search(len(c.index), func(i int) bool { return c.index[i] >= leaf })]
}

// noisy is the noisy count of a node, drawn when it is first asked for.
func (c *treeCounts) noisy(n node, draw func(id, exact int64) (noisy, error)) (noisy, error) {
	id := c.tree.id(n)
	if count, there := c.drawn[id]; there {
		return count, nil
	}
	count, err := draw(id, c.rows(n))
	if err == nil {
		c.drawn[id] = count
	}
	return count, err
}
