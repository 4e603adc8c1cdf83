package privacytest

import (
	"entrepot/privacy"
	"entrepot/privacy/internal/seam"
)

// Source replaces the source of randomness of a release, all three functions of it.
type Source = seam.Source

// Site is the place of one random decision in a release.
type Site = seam.Site

// Sensitivity is how far one privacy unit can move one draw.
type Sensitivity = seam.Sensitivity

// Run is privacy.Run with another source of randomness.
func Run(src Source, s privacy.Spec, p *privacy.Partials) (privacy.Release, error) {
	return privacy.RunFrom(src, s, p)
}

// Measure returns the exact integers behind each draw of a release over partials, by site, as they are
// before noise and before rounding to a coarse lattice. What is absent, a partition or a node of a
// tree, is 0. It looks at the partials and does not use them up.
func Measure(s privacy.Spec, partials []privacy.Partial) ([]map[Site]int64, error) {
	return privacy.Measure(seam.Granted(), s, partials)
}

// Sensitivities returns what the noise of each draw is made for, in the order of Measure.
func Sensitivities(s privacy.Spec) []Sensitivity { return privacy.Sensitivities(seam.Granted(), s) }
