package api

import "entrepot/privacy"

// Decimal is an amount in a request, digit by digit as the caller wrote it, as text or as a JSON
// number. "" is absent. It is never a float, so 0.1 stays a tenth.
type Decimal string

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

// parseRho refuses 0, which would be no loss at all.
func parseRho(path string, d Decimal) (privacy.Rho, error) {
	r, err := privacy.ParseRho(string(d))
	if err != nil {
		return 0, invalidAt(path, err.Error())
	}
	if r == 0 {
		return 0, invalidAt(path, "it must be above 0.")
	}
	return r, nil
}
