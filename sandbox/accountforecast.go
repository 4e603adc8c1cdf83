package sandbox

import (
	"math"
	"time"

	"entrepot/privacy"
	"entrepot/privacy/ledger"
)

// forecastWindow is the time whose rate of spending a forecast carries on.
const (
	forecastDays   = 30
	forecastWindow = forecastDays * 24 * time.Hour
)

// Forecast is when an account would be used up if charges went on at the rate of the last days. It follows the
// schedule, and knows nothing of allocations.
type Forecast struct {
	Days  int            `json:"days"`
	Spent privacy.Clocks `json:"spent"` // in those days
	// Until is the first moment at which the kindest of Σε and Σd has run out; nil: never at this rate, or
	// it has already.
	Until *ledger.Instant `json:"until,omitempty"`
	// DeltaUntil is the first moment at which Σδ has run out: from then on only questions without approximate
	// steps are admitted.
	DeltaUntil *ledger.Instant `json:"delta_until,omitempty"`
}

// forecast carries on what was spent in the days before now.
func forecast(a ledger.Account, spent privacy.Clocks, now time.Time) Forecast {
	f := Forecast{Days: forecastDays, Spent: spent}
	kindest := func(limits privacy.Clocks) float64 {
		last := days(limits.Epsilon, a.Spent.Epsilon, spent.Epsilon)
		for k := range a.Promise.Orders.All() {
			last = max(last, days(limits.Renyi[k], a.Spent.Renyi[k], spent.Renyi[k]))
		}
		return last
	}
	delta := func(limits privacy.Clocks) float64 { return days(limits.Delta, a.Spent.Delta, spent.Delta) }
	f.Until, f.DeltaUntil = runsOut(a, now, kindest), runsOut(a, now, delta)
	return f
}

// runsOut is the first moment from now on at which some clocks run out; left gives the days that limits would
// last from now, 0 where they are spent.
func runsOut(a ledger.Account, now time.Time, left func(limits privacy.Clocks) float64) *ledger.Instant {
	limits, ahead := a.Limits(now), a.Terms.Schedule.Steps()
	if left(limits) == 0 {
		return nil
	}
	for {
		for len(ahead) > 0 && !ahead[0].From.Time().After(now) {
			ahead = ahead[1:]
		}
		until := float64(now.Unix()) + left(limits)*24*60*60
		if len(ahead) == 0 || until < float64(ahead[0].From) {
			if until > float64(endOfForecasts) {
				return nil
			}
			at := ledger.Instant(until)
			return &at
		}
		limits = a.Limits(ahead[0].From.Time())
		ahead = ahead[1:]
	}
}

// endOfForecasts is the last second of the year 9999, beyond which no instant can be written.
const endOfForecasts ledger.Instant = 253402300799

// days is how long a limit lasts: 0 where it is spent, infinite where nothing is being spent.
func days[A ~int64](limit, spent, rate A) float64 {
	switch {
	case spent >= limit:
		return 0
	case rate == 0:
		return math.Inf(1)
	default:
		return float64(limit-spent) / float64(rate) * forecastDays
	}
}
