package privacy_test

import (
	"fmt"
	"math/big"

	"entrepot/privacy"
)

// A question is priced without rows, charged elsewhere, then run once over exact partials.
func Example() {
	spec, err := privacy.NewSpec(privacy.Question{
		Aggregates: []privacy.Aggregate{
			{Kind: privacy.Count, Argument: privacy.NoArgument},
			{Kind: privacy.Mean, Argument: 0, Lower: 0, Upper: 100_000, Step: privacy.Step{Num: 1, Den: 100}, NotNull: true},
		},
		Contribution: privacy.Contribution{MaxPartitions: 1, MaxRowsPerPartition: 1, MaxRows: 1},
		Partitions:   privacy.Partitions{Keys: []string{`["female"]`, `["male"]`}},
		Loss:         privacy.Loss{Epsilon: privacy.OneEpsilon / 2},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	price := spec.Price(23_256)
	fmt.Printf("ε %s, d %.3f, δ %s\n", price.Epsilon, float64(price.Renyi)/1e12, price.Delta)
	fmt.Printf("noise on the count: %s of scale %.1f\n", spec.Columns()[0].Mechanism, spec.Columns()[0].Scale)

	partials := privacy.NewPartials([]privacy.Partial{
		{Key: `["female"]`, Units: 2231, Rows: 2231, NonNull: []int64{2231}, Sum: []*big.Int{big.NewInt(117_662_940)}},
		{Key: `["male"]`, Units: 2304, Rows: 2304, NonNull: []int64{2304}, Sum: []*big.Int{big.NewInt(121_259_520)}},
	})
	release, err := privacy.Run(spec, partials)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, row := range release.Rows() {
		fmt.Println(row.Key, "has", len(row.Cells), "noisy numbers")
	}
	_, err = privacy.Run(spec, partials)
	fmt.Println(err)
	// Output:
	// ε 0.5, d 0.440, δ 0
	// noise on the count: laplace of scale 4.0
	// ["female"] has 2 noisy numbers
	// ["male"] has 2 noisy numbers
	// the partial aggregates were used already
}
