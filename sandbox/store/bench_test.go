package store

import (
	"context"
	"fmt"
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
			a, err := ledger.New("kr_edu/student", ledger.KindPure, privacy.MaxLifetimeEpsilon, 0)
			must(b, err)
			must(b, s.Open(context.Background(), a, "kr_edu/owner", testTime))
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
