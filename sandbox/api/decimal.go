package api

import "entrepot/privacy"

// Decimal is an amount in a request, digit by digit as the caller wrote it, as text or as a JSON
// number. "" is absent. It is never a float, so 0.1 stays a tenth.
type Decimal string

// loss reads what a question may spend. A δ that is left out is 0.
func (l Loss) loss() (privacy.Loss, error) {
	epsilon, err := parseEpsilon("loss.epsilon", l.Epsilon)
	if err != nil || l.Delta == nil {
		return privacy.Loss{Epsilon: epsilon}, err
	}
	delta, err := parseDelta("loss.delta", *l.Delta)
	return privacy.Loss{Epsilon: epsilon, Delta: delta}, err
}

func parseEpsilon(path string, d Decimal) (privacy.Epsilon, error) {
	e, err := privacy.ParseEpsilon(string(d))
	if err != nil {
		return 0, invalidAt(path, err.Error()) // ErrAmount, which is written for the caller
	}
	return e, nil
}

func parseDelta(path string, d Decimal) (privacy.Delta, error) {
	e, err := privacy.ParseDelta(string(d))
	if err != nil {
		return 0, invalidAt(path, err.Error())
	}
	return e, nil
}
