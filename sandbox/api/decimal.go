package api

import (
	"errors"

	"entrepot/privacy"
	"entrepot/sandbox"
)

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
	return e, amountError(path, err)
}

func parseDelta(path string, d Decimal) (privacy.Delta, error) {
	e, err := privacy.ParseDelta(string(d))
	return e, amountError(path, err)
}

// amountError places an amount's own message, which is written for the caller.
func amountError(path string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, privacy.ErrAmount):
		return invalidAt(path, err.Error())
	default:
		return &sandbox.Error{Code: sandbox.CodeInvalid, Public: path + " is not an amount.", Err: err}
	}
}
