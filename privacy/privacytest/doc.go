// Package privacytest computes the tolerances of statistical tests from the rate at which a correct
// program may fail them, so that no tolerance is a guess.
//
// Every function takes falseReject, the probability that a correct program is rejected; 1e-5 is the
// project's limit for one test. Bounds come from exact binomial tails, not from approximations.
//
// Only tests may import it. It holds no way to turn noise off: none exists.
package privacytest
