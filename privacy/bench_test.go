package privacy

import (
	"fmt"
	"math/big"
	"testing"
	"time"
)

// BenchmarkPartitions draws the noise of 100,000 public partitions with COUNT, SUM and AVG, and reports the time as a
// ratio to as many bare draws of the library in the same run.
func BenchmarkPartitions(b *testing.B) {
	const partitions, draws = 100_000, 3 // AVG shares the count, and has a sum of its own
	for name, loss := range map[string]Loss{
		"laplace":  {Epsilon: OneEpsilon},
		"gaussian": {Rho: OneRho / 10, Mechanism: Gaussian},
	} {
		b.Run(name, func(b *testing.B) {
			keys := make([]string, partitions)
			for i := range keys {
				keys[i] = fmt.Sprintf("[%d]", i)
			}
			a := Aggregate{Argument: 0, Upper: 100, Step: Step{1, 1}, NotNull: true}
			count, sum, mean := Aggregate{Kind: Count, Argument: NoArgument}, a, a
			sum.Kind, mean.Kind = Sum, Mean
			spec, err := NewSpec(Question{Aggregates: []Aggregate{count, sum, mean}, Loss: loss,
				Contribution: Contribution{MaxPartitions: 1, MaxRowsPerPartition: 1, MaxRows: 1}, Partitions: Partitions{Keys: keys}})
			if err != nil {
				b.Fatal(err)
			}
			var ours, bare time.Duration
			for b.Loop() {
				groups := make([]Partial, partitions)
				for i := range groups {
					groups[i] = Partial{Key: keys[i], Rows: 50, Units: 50, Arguments: []Tally{{NonNull: 50, Sum: big.NewInt(2500)}}}
				}
				p := NewPartials(spec.Shape(), groups)
				start := time.Now()
				if _, err := Run(spec, p); err != nil {
					b.Fatal(err)
				}
				middle := time.Now()
				for range partitions * draws {
					if _, err := spec.draws[0].noise.zero(site{}, library()); err != nil {
						b.Fatal(err)
					}
				}
				ours += middle.Sub(start)
				bare += time.Since(middle)
			}
			b.ReportMetric(float64(ours.Milliseconds())/float64(b.N), "release-ms")
			b.ReportMetric(float64(ours)/float64(bare), "ratio")
		})
	}
}
