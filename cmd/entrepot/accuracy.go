package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"entrepot/privacy"
	"entrepot/sandbox"
)

// accuracyBody is how exact an answer is to be, in place of a loss.
type accuracyBody struct {
	HalfWidth     map[string]string `json:"half_width,omitempty"`
	Relative      map[string]string `json:"relative,omitempty"`
	Delta         privacy.Delta     `json:"delta"`
	Mechanism     privacy.Mechanism `json:"mechanism,omitempty"` // "": the server chooses
	GaussianDelta privacy.Delta     `json:"gaussian_delta,omitzero"`
}

// accuracyFlags say how exact an answer is to be, and for groups of what size.
type accuracyFlags struct {
	halfWidth, relative map[string]string
	groupSize           int64
	release             string
	flags               *pflag.FlagSet // that they are among
}

func (a *accuracyFlags) add(c *cobra.Command) {
	f := c.Flags()
	a.flags = f
	f.StringToStringVar(&a.halfWidth, "accuracy", nil, "spend as little as gives a column an error of ± so much at 95 %, name=n; instead of --epsilon or --rho")
	f.StringToStringVar(&a.relative, "relative", nil, "likewise, as a part of the column's value, name=0.05")
	f.Int64Var(&a.groupSize, "group-size", 0, fmt.Sprintf("rows of the group that the error is for (default %d, but none for --accuracy and --relative)", assumedGroup))
	f.StringVar(&a.release, "release", "", "earlier release with COUNT(*) whose groups the error is for, instead of --group-size")
	c.MarkFlagsMutuallyExclusive("group-size", "release")
	for _, name := range []string{"accuracy", "relative"} {
		for _, other := range []string{"epsilon", "rho", "weight"} {
			c.MarkFlagsMutuallyExclusive(name, other)
		}
	}
}

// given reports whether an accuracy is asked for.
func (a *accuracyFlags) given() bool { return len(a.halfWidth)+len(a.relative) > 0 }

// read makes the accuracy, with what of the loss goes with it.
func (a *accuracyFlags) read(loss lossBody) (*accuracyBody, error) {
	for flag, list := range map[string]map[string]string{"accuracy": a.halfWidth, "relative": a.relative} {
		for _, name := range slices.Sorted(maps.Keys(list)) {
			if x, err := strconv.ParseFloat(list[name], 64); err != nil || !(x > 0) {
				return nil, usage("--%s %s=%s: it is a number above 0", flag, printable(name), printable(list[name]))
			}
		}
	}
	return &accuracyBody{HalfWidth: a.halfWidth, Relative: a.relative, Delta: loss.Delta, Mechanism: loss.Mechanism, GaussianDelta: loss.GaussianDelta}, nil
}

// lossText writes a loss as the flags that ask for it.
func lossText(l sandbox.Spent) string {
	text := "--epsilon " + l.Epsilon.String()
	if l.Rho != 0 {
		text = "--rho " + l.Rho.String() + " --mechanism " + string(l.Mechanism)
	}
	if l.Delta != 0 {
		text += " --delta " + l.Delta.String()
	}
	if l.GaussianDelta != 0 {
		text += " --gaussian-delta " + l.GaussianDelta.String()
	}
	var weights []string
	for _, name := range slices.Sorted(maps.Keys(l.Weights)) {
		weights = append(weights, fmt.Sprintf("%s=%d", name, l.Weights[name]))
	}
	if len(weights) > 0 {
		text += " --weight " + strings.Join(weights, ",")
	}
	return printable(text)
}
