package privacy_test

import (
	"fmt"
	"math"
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
	price := spec.Price(privacy.Orders{23_256})
	fmt.Printf("ε %s, d %.3f, δ %s\n", price.Epsilon, float64(price.Renyi[0])/1e12, price.Delta)
	fmt.Printf("noise on the count: %s of scale %.1f\n", spec.Columns()[0].Mechanism, spec.Columns()[0].Scale)

	partials := privacy.NewPartials(spec.Shape(), []privacy.Partial{
		{Key: `["female"]`, Units: 2231, Rows: 2231, Arguments: []privacy.Tally{{NonNull: 2231, Sum: big.NewInt(117_662_940)}}},
		{Key: `["male"]`, Units: 2304, Rows: 2304, Arguments: []privacy.Tally{{NonNull: 2304, Sum: big.NewInt(121_259_520)}}},
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

// What one loss buys and costs on the three clocks of an account. Without a δ of its own, Gaussian noise
// costs Σε all it has: an account that lives by Σε must not admit it.
func ExampleLoss() {
	q := privacy.Question{
		Aggregates:   []privacy.Aggregate{{Kind: privacy.Count, Argument: privacy.NoArgument}},
		Contribution: privacy.Contribution{MaxPartitions: 3, MaxRowsPerPartition: 1, MaxRows: 3},
		Partitions:   privacy.Partitions{Keys: []string{"a", "b", "c"}},
	}
	const rho = privacy.OneRho / 200
	for _, l := range []privacy.Loss{
		{Epsilon: privacy.OneEpsilon / 10},
		{Rho: rho, Mechanism: privacy.Laplace},
		{Rho: rho, Mechanism: privacy.Gaussian},
		{Rho: rho, Mechanism: privacy.Gaussian, GaussianDelta: privacy.OneDelta / 1_000_000},
	} {
		q.Loss = l
		spec, err := privacy.NewSpec(q)
		if err != nil {
			fmt.Println(err)
			return
		}
		epsilon, price := "inf", spec.Price(privacy.Orders{23_256})
		if price.Epsilon < math.MaxInt64 {
			epsilon = fmt.Sprintf("%.3f", float64(price.Epsilon)/1e12)
		}
		fmt.Printf("%s of scale %.1f: ε %s, d %.4f, δ %.1g\n", spec.Columns()[0].Mechanism, spec.Columns()[0].Scale,
			epsilon, float64(price.Renyi[0])/1e12, float64(price.Delta)/1e18)
	}
	// Output:
	// laplace of scale 30.0: ε 0.100, d 0.0352, δ 0
	// laplace of scale 17.2: ε 0.175, d 0.0932, δ 0
	// gaussian of scale 17.3: ε inf, d 0.1163, δ 4e-18
	// gaussian of scale 17.3: ε 0.490, d 0.1163, δ 1e-06
}
