package store

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"entrepot/privacy"
	"entrepot/privacy/ledger"
)

// Pairs of a durable charge and a durable release, one after the other and side by side.
func BenchmarkPairs(b *testing.B) {
	for _, workers := range []int{1, 64} {
		b.Run(fmt.Sprintf("callers=%d", workers), func(b *testing.B) {
			s := openAt(b, newPath(b))
			a, err := ledger.New("kr_edu/student", ledger.Promise{Kind: ledger.KindPure, Epsilon: privacy.MaxLifetimeEpsilon}, ledger.Terms{})
			must(b, err)
			must(b, s.Open(context.Background(), a, owner("")))
			var next atomic.Int64
			b.SetParallelism(workers) // times GOMAXPROCS
			b.ResetTimer()
			pair := func() {
				id := fmt.Sprint("qry_", next.Add(1))
				q := question(id, "kr_edu/student")
				q.Charges[0].Loss.Epsilon = 1
				if _, err := s.Charge(context.Background(), q, chargeEntry()); err != nil {
					b.Error(err)
				}
				if _, err := s.Release(context.Background(), id, "rel_"+id, answerWith(id)); err != nil {
					b.Error(err)
				}
			}
			if workers == 1 {
				for range b.N {
					pair()
				}
			} else {
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						pair()
					}
				})
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "pairs/s")
		})
	}
}

// BenchmarkOpen opens a store whose log is as long as is replayed whole.
func BenchmarkOpen(b *testing.B) {
	path := newPath(b)
	ctx := context.Background()
	s, err := Open(ctx, Options{Path: path, Signer: testSigner(b)})
	must(b, err)
	a, err := ledger.New("kr_edu/student", ledger.Promise{Kind: ledger.KindPure, Epsilon: privacy.MaxLifetimeEpsilon}, ledger.Terms{})
	must(b, err)
	must(b, s.Open(ctx, a, owner("")))
	var wg sync.WaitGroup
	for w := range 64 {
		wg.Go(func() {
			for i := range (fullReplay - 1) / 128 {
				id := fmt.Sprintf("qry_%d_%d", w, i)
				charge(b, s, id, "kr_edu/student")
				release(b, s, id)
			}
		})
	}
	wg.Wait()
	must(b, s.Close())
	for b.Loop() {
		s, err := Open(ctx, Options{Path: path, Signer: testSigner(b)})
		must(b, err)
		must(b, s.Close())
	}
}
