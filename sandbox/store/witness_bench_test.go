package store

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"entrepot/privacy"
	"entrepot/privacy/ledger"
	"entrepot/sandbox/audit"
)

// BenchmarkWitness says what the witness costs: durable pairs of a charge and a release, b.N for each caller, with
// it and without it in turn.
func BenchmarkWitness(b *testing.B) {
	for _, callers := range []int{1, 8, 64} {
		for _, accounts := range []int{1, 100} {
			b.Run(fmt.Sprintf("callers=%d/accounts=%d", callers, accounts), func(b *testing.B) {
				with, without := newPlace(b), newPlace(b)
				without.witness = ""
				stores := map[string]*Store{"with": with.open(), "without": without.open()}
				for _, s := range stores {
					for i := range accounts {
						a, err := ledger.New(fmt.Sprint("kr_edu/a", i), ledger.Promise{Kind: ledger.KindPure, Epsilon: privacy.MaxLifetimeEpsilon}, ledger.Terms{})
						must(b, err)
						must(b, s.Open(context.Background(), a, owner("")))
					}
				}
				took := map[string]time.Duration{}
				n := 0
				for b.Loop() {
					n++
					for name, s := range stores {
						begun := time.Now()
						pairs(b, s, callers, n)
						took[name] += time.Since(begun)
					}
				}
				each := float64(callers * n)
				b.ReportMetric(each/took["with"].Seconds(), "pairs/s")
				b.ReportMetric(float64(took["with"])/float64(took["without"]), "times-without")
			})
		}
	}
}

func pairs(b *testing.B, s *Store, callers, round int) {
	var all sync.WaitGroup
	for w := range callers {
		all.Go(func() {
			id := fmt.Sprintf("qry_%d_%d", round, w)
			q := question(id, "kr_edu/a0")
			q.Charges[0].Loss.Epsilon = 1
			if _, err := s.Charge(context.Background(), q, chargeEntry()); err != nil {
				b.Error(err)
			}
			if _, err := s.Release(context.Background(), id, "rel_"+id, answerWith(id)); err != nil {
				b.Error(err)
			}
		})
	}
	all.Wait()
}

// BenchmarkWitnessWrite compares writing a slot in place with a new file renamed over the old one.
func BenchmarkWitnessWrite(b *testing.B) {
	for _, way := range []string{"slot", "rename"} {
		b.Run(way, func(b *testing.B) {
			p := newPlace(b)
			w, err := openWitness(p.witness, testSigner(b))
			must(b, err)
			defer func() { must(b, w.close()) }()
			for size := int64(1); b.Loop(); size++ {
				c := audit.Checkpoint{Size: size}
				if way == "slot" {
					must(b, w.write(c))
					continue
				}
				signed, err := w.signer.Sign(c)
				must(b, err)
				must(b, w.replace(c, signed))
			}
		})
	}
}
