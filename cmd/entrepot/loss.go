package main

import (
	"github.com/spf13/cobra"

	"entrepot/privacy"
)

// lossFlags say what a question may spend.
type lossFlags struct {
	epsilon, rho, delta, mechanism, gaussianDelta string
	weights                                       map[string]int64
}

func (l *lossFlags) add(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&l.epsilon, "epsilon", "", "privacy loss ε to spend, by Laplace noise (default: what the owners of the tables have set, if they have)")
	f.StringVar(&l.rho, "rho", "", "privacy loss ρ to spend instead of ε: less noise where several columns are asked for")
	f.StringVar(&l.delta, "delta", "0", "δ to spend; needed where the groups are not public")
	f.StringVar(&l.mechanism, "mechanism", "", "laplace or gaussian, with --rho (default: gaussian where that ends no clock that could pay for laplace)")
	f.StringVar(&l.gaussianDelta, "gaussian-delta", "", "δ by which Gaussian noise costs a finite ε, with --rho; without it, it costs all")
	f.StringToInt64Var(&l.weights, "weight", nil, "share of the loss of a column of the answer, name=n (default 1 each)")
	c.MarkFlagsMutuallyExclusive("epsilon", "rho")
	choices(c, "mechanism", string(privacy.Laplace), string(privacy.Gaussian))
}

// named reports whether a loss is asked for.
func (l *lossFlags) named() bool { return l.epsilon != "" || l.rho != "" }

func (l *lossFlags) read() (out lossBody, err error) {
	out.Mechanism, out.Weights = privacy.Mechanism(l.mechanism), l.weights
	if l.rho != "" {
		if out.Rho, err = privacy.ParseRho(l.rho); err != nil {
			return out, usage("--rho: %w", err)
		}
		if out.Rho == 0 {
			return out, usage("--rho is above 0")
		}
	} else if l.epsilon != "" {
		if out.Epsilon, err = privacy.ParseEpsilon(l.epsilon); err != nil {
			return out, usage("--epsilon: %w", err)
		}
		if out.Epsilon == 0 {
			return out, usage("--epsilon is above 0")
		}
	}
	if out.Delta, err = privacy.ParseDelta(l.delta); err != nil {
		return out, usage("--delta: %w", err)
	}
	if l.gaussianDelta != "" {
		if out.GaussianDelta, err = privacy.ParseDelta(l.gaussianDelta); err != nil {
			return out, usage("--gaussian-delta: %w", err)
		}
	}
	for name, n := range l.weights {
		if n < 1 {
			return out, usage("--weight %s=%d: weights are at least 1", printable(name), n)
		}
	}
	return out, nil
}
