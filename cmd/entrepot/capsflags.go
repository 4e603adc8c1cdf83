package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"entrepot/privacy"
)

// capsBody are caps as requests have them: what caps nothing is left out.
type capsBody struct {
	Epsilon *privacy.Epsilon `json:"epsilon,omitempty"`
	Renyi   []privacy.Renyi  `json:"renyi,omitempty"`
	Delta   *privacy.Delta   `json:"delta,omitempty"`
}

// newCaps are an account's or an allocation's caps; nil where it has none.
func newCaps(c privacy.Clocks, orders privacy.Orders) *capsBody {
	var b capsBody
	if c.Epsilon != privacy.Unlimited {
		b.Epsilon = &c.Epsilon
	}
	if c.Delta != privacy.Unlimited {
		b.Delta = &c.Delta
	}
	for k := range orders.All() {
		if c.Renyi[k] != privacy.Unlimited {
			b.Renyi = c.Renyi[:k+1]
		}
	}
	if b.Epsilon == nil && b.Delta == nil && b.Renyi == nil {
		return nil
	}
	return &b
}

// capsFlags are the flags of caps; one that is not given changes nothing.
type capsFlags struct {
	epsilon, delta *string
	renyi          *[]string
	prefix         string
}

func addCaps(c *cobra.Command, prefix, help string) capsFlags {
	f := c.Flags()
	of := func(what string) string { return fmt.Sprintf(help, what) }
	return capsFlags{f.String(prefix+"epsilon", "", of("ε")), f.String(prefix+"delta", "", of("δ")),
		f.StringSlice(prefix+"renyi", nil, of("Rényi divergence, at each order in turn,")), prefix}
}

// over are caps with those of the flags in their place; nil for none.
func (f capsFlags) over(old *capsBody) (*capsBody, error) {
	var b capsBody
	if old != nil {
		b = *old
	}
	if *f.epsilon != "" {
		b.Epsilon = new(privacy.Epsilon)
		if err := b.Epsilon.UnmarshalText([]byte(*f.epsilon)); err != nil {
			return nil, usage("--%sepsilon: %w", f.prefix, err)
		}
		if *b.Epsilon == privacy.Unlimited {
			b.Epsilon = nil
		}
	}
	if *f.delta != "" {
		b.Delta = new(privacy.Delta)
		if err := b.Delta.UnmarshalText([]byte(*f.delta)); err != nil {
			return nil, usage("--%sdelta: %w", f.prefix, err)
		}
		if *b.Delta == privacy.Unlimited {
			b.Delta = nil
		}
	}
	if len(*f.renyi) > 0 {
		b.Renyi = nil
	}
	for _, text := range *f.renyi {
		var limit privacy.Renyi
		if err := limit.UnmarshalText([]byte(text)); err != nil {
			return nil, usage("--%srenyi: %w", f.prefix, err)
		}
		b.Renyi = append(b.Renyi, limit)
	}
	for len(b.Renyi) > 0 && b.Renyi[len(b.Renyi)-1] == privacy.Unlimited {
		b.Renyi = b.Renyi[:len(b.Renyi)-1]
	}
	if b.Epsilon == nil && b.Delta == nil && len(b.Renyi) == 0 {
		return nil, nil
	}
	return &b, nil
}
