// Package privacytest is what tests outside package privacy need of it: tolerances of statistical tests,
// computed from the rate at which a correct program may fail them, and the seam that they look through
// at exact values and random decisions.
//
// Only tests may import it, and what only tests import: cmd/entrepot/deps_test.go sees to that.
package privacytest
