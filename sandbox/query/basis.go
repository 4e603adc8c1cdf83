package query

import (
	"encoding/hex"
	"slices"

	"entrepot/privacy"
)

// basisFormat goes into every digest. Raise it when a plan of the same text has other partials than before: what
// was released until then answers no question any more.
const basisFormat = "entrepot/basis/1"

// Basis is what a release of the plan is about, apart from how it is shown: neither names, nor the order of
// keys, aggregates, conditions and columns, nor HAVING, ORDER BY, OFFSET and LIMIT count.
//
// Plans of one Digest look at the same rows of the same groups, bounded alike: aggregates of one identity have
// the same exact value in every table, and keys of one identity the same value in every row. So a release of one
// plan answers another if Place finds a place for all that the other one needs. The converse does not hold: two
// plans that mean the same may differ in Digest.
//
// It does not hold the loss, the pre-threshold, nor which version of a dataset is read, under which declaration.
type Basis struct {
	Digest     string   // hex
	Keys       []string // the identity of each key, in the plan's order; hex
	Aggregates []string // and of each aggregate
}

// Basis returns the plan's. It is a function of the plan alone.
func (p Plan) Basis() Basis {
	from := basisOf(p.parts.From)
	from.where(p.parts.Filter)
	b := Basis{Keys: []string{}, Aggregates: []string{}}
	for _, k := range p.parts.Keys {
		b.Keys = append(b.Keys, from.key(k).String())
	}
	questions, _ := p.Question(privacy.Loss{}, nil, 1) // without weights there is no error
	for i, a := range questions.Aggregates {
		b.Aggregates = append(b.Aggregates, p.identity(from, a, p.parts.Aggregates[i].Argument).String())
	}
	c := p.parts.Contribution
	h := hash(basisFormat).sum(from.identity()).texts(slices.Sorted(slices.Values(b.Keys))).
		numbers(c.MaxPartitions, c.MaxRowsPerPartition, c.MaxRows).truth(p.parts.PublicKeys != nil)
	b.Digest = h.done().String()
	return b
}

// key is the identity of a GROUP BY expression. Rows outside the domain are dropped, so that it counts; its
// order is that of an answer alone.
func (r basisRows) key(k Key) digest {
	values := make([]string, len(k.Domain))
	for i, v := range k.Domain {
		values[i] = EncodeKey([]any{v})
	}
	slices.Sort(values)
	return hash("key").sum(r.node(k.Expr).sum).text(string(k.Type)).truth(k.Domain != nil).texts(values).done()
}

// identity is that of an aggregate: all that its exact value and its sensitivity depend on, beside the basis.
func (p Plan) identity(from basisRows, a privacy.Aggregate, argument int) digest {
	h := hash("aggregate").text(string(a.Kind)).truth(a.Sample).truth(a.Root).number(a.Rank).truth(a.NotNull).
		numbers(a.Lower, a.Upper, a.Step.Num, a.Step.Den).truth(argument != privacy.NoArgument)
	if argument == privacy.NoArgument {
		return h.done()
	}
	x := p.parts.Arguments[argument]
	return h.sum(from.node(x.Expr).sum).truth(x.Column != "").done()
}

// Place says where in a kept release the keys and the aggregates of a plan are found: indices, in the plan's order.
type Place struct {
	Keys       []int
	Aggregates []int
}

// Place finds what the plan needs among the keys and aggregates of a release of the same Digest. It reports false
// where an aggregate is missing.
func (b Basis) Place(keys, aggregates []string) (place Place, ok bool) {
	if place.Keys, ok = places(b.Keys, keys); !ok || len(keys) != len(b.Keys) {
		return Place{}, false
	}
	if place.Aggregates, ok = places(b.Aggregates, aggregates); !ok {
		return Place{}, false
	}
	return place, true
}

// places is where the first of each of the wanted stands in a list.
func places(wanted, list []string) ([]int, bool) {
	found := make([]int, len(wanted))
	for i, w := range wanted {
		if found[i] = slices.Index(list, w); found[i] < 0 {
			return nil, false
		}
	}
	return found, true
}

// String is the digest in hex.
func (d digest) String() string { return hex.EncodeToString(d[:]) }
