package query_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"runtime/debug"
	"strings"
	"testing"
	"unicode/utf8"

	"entrepot/sandbox/query"
	"entrepot/sandbox/query/querytest"
)

// grammar is what one run of random texts saw.
type grammar struct {
	tried, planned, evaluated int
	changed, survived         int // texts that were mutated, and those of them that were planned
	ops                       map[query.Op]bool
}

// TestGrammar plans random questions and random mutations of them. Whatever the text is, planning ends with
// an *Error that says where and why, or with a plan of which audit and evaluate find nothing wrong. The
// number of texts is fixed, and so are the seeds.
func TestGrammar(t *testing.T) {
	const seed, shards, perSchema = 20261122, 2, 200
	texts := 8_000
	if os.Getenv("ENTREPOT_SOAK") == "1" {
		texts = 1_000_000
	}
	for shard := range uint64(shards) {
		t.Run(fmt.Sprint("shard ", shard), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, shard))
			g := grammar{ops: map[query.Op]bool{}}
			m := newMutator(r)
			for g.tried < texts/shards {
				schema, err := querytest.Schema(r)
				if err != nil {
					t.Fatal(err)
				}
				worlds := []querytest.Tables{querytest.Fill(r, schema, 2, 0), querytest.Fill(r, schema, 4, 1)}
				questions := querytest.NewGenerator(r, schema)
				for range perSchema {
					if err := g.one(questions, m, schema, worlds); err != nil {
						t.Fatal(err)
					}
				}
			}
			t.Logf("%d texts, %d mutated, %d planned, %d of them mutated, %d evaluated", g.tried, g.changed, g.planned, g.survived, g.evaluated)
			if g.survived*20 < g.changed || g.evaluated*10 < g.planned*9 {
				t.Errorf("too few mutated texts were planned, or too few plans evaluated")
			}
			for op := range signatures {
				if !g.ops[op] {
					t.Errorf("no plan has %s", op)
				}
			}
		})
	}
}

// one tries one text.
func (g *grammar) one(questions *querytest.Generator, m *mutator, schema querytest.Tables, worlds []querytest.Tables) error {
	text := questions.Question()
	m.keep(text)
	changed := m.IntN(8) > 0
	if changed {
		text = m.mutate(text)
		g.changed++
	}
	g.tried++
	parts, err := try(text, schema)
	if err != nil {
		return fmt.Errorf("%q\n%w", text, err)
	}
	if parts == nil {
		return nil
	}
	if g.planned++; changed {
		g.survived++
		m.keep(text)
	}
	b, err := json.Marshal(parts)
	if err != nil {
		return err
	}
	for op := range signatures {
		g.ops[op] = g.ops[op] || strings.Contains(string(b), `"op":"`+string(op)+`"`)
	}
	if mostRows(parts.From) > manyRows {
		return nil
	}
	g.evaluated++
	if err := evaluate(*parts, worlds[m.IntN(len(worlds))]); err != nil {
		return fmt.Errorf("%q\n%w", text, err)
	}
	return nil
}

// manyRows of a unit are too many to go through: joins of joins have them.
const manyRows = 300

// mostRows is the most rows of a unit in a relation and those below it.
func mostRows(r query.Relation) int64 {
	most := int64(0)
	for _, u := range r.Units {
		most = max(most, u.Rows)
	}
	for _, in := range r.Inputs {
		most = max(most, mostRows(in))
	}
	return most
}

// try plans a text and holds what comes of it against what package query promises. Parts is nil where it
// was refused, in order.
func try(text string, c query.Catalogue) (parts *query.Parts, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	plan, err := query.New(text, c, query.Bounds{})
	if err != nil {
		return nil, refusal(text, err)
	}
	if err := audit(plan, c); err != nil {
		return nil, fmt.Errorf("%s\n%w", plan.Canonical(), err)
	}
	again, err := query.New(plan.Canonical(), c, query.Bounds{})
	if err != nil {
		return nil, fmt.Errorf("%s\nis not read back: %w", plan.Canonical(), err)
	}
	p := plan.Parts()
	if again.Canonical() != plan.Canonical() || !reflect.DeepEqual(again.Parts(), p) {
		return nil, fmt.Errorf("%s\nis read back as another plan:\n%s", plan.Canonical(), again.Canonical())
	}
	return &p, nil
}

// refusal returns what is wrong with an error of planning: it must be an *Error in one short sentence, at
// a place in the text. No rows were there when it was made; a long text must not come back in it.
func refusal(text string, err error) error {
	const most = 2000 // bytes: a sentence may name all columns of a dataset, or parts of the text, shortened
	var e *query.Error
	if !errors.As(err, &e) {
		return fmt.Errorf("%T is no *query.Error: %w", err, err)
	}
	lines := strings.Split(text, "\n")
	switch {
	case e.Message == "" || strings.HasSuffix(e.Message, ".") || !utf8.ValidString(e.Error()) || len(e.Error()) > most:
		return fmt.Errorf("an odd message: %+v", *e)
	case e.NotFound && (e.Message != "there is no such dataset, or you may not use it" || e.Hint != ""):
		return fmt.Errorf("a dataset that is hidden is not like one that is absent: %+v", *e)
	case (e.Line == 0) != (e.Column == 0) || e.Line < 0 || e.Column < 0 || e.Line > len(lines):
		return fmt.Errorf("no place in a text of %d lines: %+v", len(lines), *e)
	case e.Line > 0 && e.Column > utf8.RuneCountInString(lines[e.Line-1])+1:
		return fmt.Errorf("no place in line %q: %+v", lines[e.Line-1], *e)
	}
	return nil
}

// FuzzGrammar is TestGrammar for texts that a fuzzer finds.
func FuzzGrammar(f *testing.F) {
	r := rand.New(rand.NewPCG(20261122, 99))
	schema, err := querytest.Schema(r)
	if err != nil {
		f.Fatal(err)
	}
	tables := querytest.Fill(r, schema, 3, 0)
	questions, m := querytest.NewGenerator(r, schema), newMutator(r)
	for range 200 {
		text := questions.Question()
		m.keep(text)
		f.Add(text)
		f.Add(m.mutate(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		parts, err := try(text, schema)
		if err != nil {
			t.Fatal(err)
		}
		if parts == nil || mostRows(parts.From) > manyRows {
			return
		}
		if err := evaluate(*parts, tables); err != nil {
			t.Fatal(err)
		}
	})
}
