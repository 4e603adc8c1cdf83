package query

import "slices"

// node is an expression in the form that a basis compares: fields of sub-queries are replaced by what they are
// computed from, what is commutative is in the order of digests, > and >= are < and <=, IN is OR of comparisons, and
// NOT is pushed inwards, which three-valued logic allows.
type node struct {
	sum  digest
	op   Op // OpAnd, OpOr, OpNot, OpEq, OpNe, OpLt, OpLe, or OpLiteral of TRUE and FALSE; "" for all others
	args []*node
}

// always is TRUE, never FALSE.
var always, never = &node{sum: hash("true").done(), op: OpLiteral}, &node{sum: hash("false").done(), op: OpLiteral}

// opaque is a node of which only the digest counts.
func opaque(d digest) *node { return &node{sum: d} }

// operation is a node of an operation whose arguments are in order.
func operation(op Op, args ...*node) *node {
	h := hash("operation").text(string(op))
	for _, a := range args {
		h = h.sum(a.sum)
	}
	return &node{sum: h.done(), op: op, args: args}
}

// commutative is a node of an operation whose two arguments may be exchanged.
func commutative(op Op, a, b *node) *node {
	if compareDigests(b.sum, a.sum) < 0 {
		a, b = b, a
	}
	return operation(op, a, b)
}

// connected is AND or OR: nested ones are merged; repetitions, and what changes nothing, are dropped.
func connected(op Op, parts []*node) *node {
	idle := always
	if op == OpOr {
		idle = never
	}
	var flat []*node
	for _, p := range parts {
		switch {
		case p.op == op:
			flat = append(flat, p.args...)
		case p != idle:
			flat = append(flat, p)
		}
	}
	if len(flat) == 0 {
		return idle
	}
	slices.SortFunc(flat, func(a, b *node) int { return compareDigests(a.sum, b.sum) })
	flat = slices.CompactFunc(flat, func(a, b *node) bool { return a.sum == b.sum })
	if len(flat) == 1 {
		return flat[0]
	}
	return operation(op, flat...)
}

// negation is NOT. No NaN exists, so that NOT a < b is b <= a, and NULL on either side stays NULL.
func negation(n *node) *node {
	switch n.op {
	case OpLiteral:
		if n == always {
			return never
		}
		return always
	case OpNot:
		return n.args[0]
	case OpEq:
		return operation(OpNe, n.args...)
	case OpNe:
		return operation(OpEq, n.args...)
	case OpLt:
		return operation(OpLe, n.args[1], n.args[0])
	case OpLe:
		return operation(OpLt, n.args[1], n.args[0])
	case OpAnd, OpOr:
		parts := make([]*node, len(n.args))
		for i, a := range n.args {
			parts[i] = negation(a)
		}
		if n.op == OpAnd {
			return connected(OpOr, parts)
		}
		return connected(OpAnd, parts)
	}
	return operation(OpNot, n)
}

// node is the form of an expression over these rows.
func (r basisRows) node(e Expr) *node {
	switch {
	case e.Op == OpColumn:
		return r.column(e)
	case e.Op == OpLiteral && e.Type == Bool && !e.Null:
		if e.Bool {
			return always
		}
		return never
	}
	args := make([]*node, len(e.Args))
	for i, a := range e.Args {
		args[i] = r.node(a)
	}
	switch e.Op {
	case OpAnd, OpOr:
		return connected(e.Op, args)
	case OpNot:
		return negation(args[0])
	case OpIn:
		parts := make([]*node, len(args)-1)
		for i, a := range args[1:] {
			parts[i] = commutative(OpEq, args[0], a)
		}
		return connected(OpOr, parts)
	case OpEq, OpNe:
		if b := args[1]; b.op == OpLiteral { // x = TRUE is x
			if (b == always) == (e.Op == OpEq) {
				return args[0]
			}
			return negation(args[0])
		}
		return commutative(e.Op, args[0], args[1])
	case OpLt, OpLe:
		return operation(e.Op, args...)
	case OpGt:
		return operation(OpLt, args[1], args[0])
	case OpGe:
		return operation(OpLe, args[1], args[0])
	case OpAdd, OpMul: // of two binary64 numbers the order makes no difference
		if compareDigests(args[1].sum, args[0].sum) < 0 {
			slices.Reverse(args)
		}
	}
	h := hash("expression").text(string(e.Op)).text(string(e.Type)).text(e.Text).number(e.Number).numbers(e.Int).truth(e.Bool).truth(e.Null)
	for _, a := range args {
		h = h.sum(a.sum)
	}
	return opaque(h.done())
}

// column is what a field is computed from.
func (r basisRows) column(e Expr) *node {
	d, ok := r.fields[e.Column]
	switch {
	case !ok:
		return opaque(unknown(e.Column))
	case d.num != e.Num || d.den != e.Den: // neither in a plan that New made
		return opaque(hash("scaled").sum(d.node.sum).numbers(e.Num, e.Den).done())
	}
	return d.node
}
