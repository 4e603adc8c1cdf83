package api

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"entrepot/privacy"
	"entrepot/sandbox"
)

// accuracyBody is how exact an answer is to be, as the specification's Accuracy has it.
type accuracyBody struct {
	HalfWidth     map[string]Decimal `json:"half_width,omitempty"`
	Relative      map[string]Decimal `json:"relative,omitempty"`
	Confidence    Decimal            `json:"confidence,omitempty"`
	Delta         Decimal            `json:"delta,omitempty"`
	Mechanism     string             `json:"mechanism,omitempty"`
	GaussianDelta Decimal            `json:"gaussian_delta,omitempty"`
}

// accuracy reads it, with what of a loss is given beside it.
func (a accuracyBody) accuracy() (out sandbox.Accuracy, loss privacy.Loss, err error) {
	if len(a.HalfWidth)+len(a.Relative) == 0 {
		return out, loss, invalidAt("accuracy", "it names no column; give half_width or relative, such as half_width: {students: 50}.")
	}
	if a.Confidence != "" {
		if c, ok := number(a.Confidence); !ok || c != privacy.Confidence {
			return out, loss, invalidAt("accuracy.confidence", "intervals are at "+strconv.FormatFloat(privacy.Confidence, 'g', -1, 64)+", and at no other level.")
		}
	}
	if out.HalfWidth, err = widths("accuracy.half_width", a.HalfWidth); err != nil {
		return out, loss, err
	}
	if out.Relative, err = widths("accuracy.relative", a.Relative); err != nil {
		return out, loss, err
	}
	if loss.Delta, err = optionalDelta("accuracy.delta", a.Delta); err != nil {
		return out, loss, err
	}
	if loss.GaussianDelta, err = optionalDelta("accuracy.gaussian_delta", a.GaussianDelta); err != nil {
		return out, loss, err
	}
	loss.Mechanism, err = parseMechanism("accuracy.mechanism", a.Mechanism)
	return out, loss, err
}

// widths reads half-widths; whose columns they are, the planner knows.
func widths(path string, given map[string]Decimal) (map[string]float64, error) {
	out := map[string]float64{}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		x, ok := number(given[name])
		if !ok || x <= 0 {
			return nil, invalidAt(join(path, name), quote(string(given[name]))+" is not a number above 0, such as 50 or 0.05.")
		}
		out[name] = x
	}
	return out, nil
}

// number reads a decimal to the nearest float64. A target is no amount: nothing is charged by it.
func number(d Decimal) (float64, bool) {
	if strings.Trim(string(d), "0123456789.eE+-") != "" { // ParseFloat knows words and hexadecimal digits too
		return 0, false
	}
	x, err := strconv.ParseFloat(string(d), 64)
	return x, err == nil && !math.IsInf(x, 0)
}
