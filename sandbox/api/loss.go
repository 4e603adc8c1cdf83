package api

import (
	"maps"
	"slices"

	"entrepot/privacy"
)

// lossBody is what a question may spend, as the specification's Loss has it.
type lossBody struct {
	Epsilon       Decimal          `json:"epsilon,omitempty"`
	Rho           Decimal          `json:"rho,omitempty"`
	Delta         Decimal          `json:"delta,omitempty"`
	Mechanism     string           `json:"mechanism,omitempty"`
	GaussianDelta Decimal          `json:"gaussian_delta,omitempty"`
	Weights       map[string]int64 `json:"weights,omitempty"`
}

// loss reads the amounts. A δ that is left out is 0; without a mechanism the server chooses.
func (l lossBody) loss() (loss privacy.Loss, err error) {
	switch {
	case (l.Epsilon == "") == (l.Rho == ""):
		return loss, invalidAt("loss", "it names epsilon or rho, one of the two.")
	case l.Epsilon != "":
		if loss.Epsilon, err = parseEpsilon("loss.epsilon", l.Epsilon); err == nil && loss.Epsilon == 0 {
			err = invalidAt("loss.epsilon", "ε is above 0.")
		}
	default:
		loss.Rho, err = parseRho("loss.rho", l.Rho)
	}
	if err != nil {
		return loss, err
	}
	if loss.Delta, err = optionalDelta("loss.delta", l.Delta); err != nil {
		return loss, err
	}
	if loss.GaussianDelta, err = optionalDelta("loss.gaussian_delta", l.GaussianDelta); err != nil {
		return loss, err
	}
	loss.Mechanism, err = parseMechanism("loss.mechanism", l.Mechanism)
	return loss, err
}

func optionalDelta(path string, d Decimal) (privacy.Delta, error) {
	if d == "" {
		return 0, nil
	}
	return parseDelta(path, d)
}

func parseMechanism(path, name string) (privacy.Mechanism, error) {
	switch m := privacy.Mechanism(name); m {
	case "", privacy.Laplace, privacy.Gaussian:
		return m, nil
	}
	names := []string{string(privacy.Laplace), string(privacy.Gaussian)}
	return "", invalidAt(path, quote(name)+" is no mechanism"+suggestion(name, names))
}

// weights checks the weights' sizes; whose columns they are, the planner knows.
func (l lossBody) weights() (map[string]int64, error) {
	for _, name := range slices.Sorted(maps.Keys(l.Weights)) {
		if err := within(join("loss.weights", name), l.Weights[name], 1, privacy.MaxWeight); err != nil {
			return nil, err
		}
	}
	return l.Weights, nil
}
