package ledger

import (
	"encoding/json"
	"fmt"
	"time"

	"entrepot/privacy"
)

// DefaultAllowance is how many failed questions freeze an account, MaxAllowance the most that may be
// set: each failure is an exact bit outside (ε, δ).
const (
	DefaultAllowance = 3
	MaxAllowance     = 100
)

// MaxSteps is the most steps of a schedule.
const MaxSteps = 24

// Terms are what an owner may change below the promise. They bound spending, and make no claim of their own.
type Terms struct {
	Allowance int64           `json:"failure_allowance"` // failures that freeze the account
	Question  privacy.Clocks  `json:"question"`          // the most that one question may cost; privacy.Unlimited where that is open
	Default   privacy.Epsilon `json:"default_epsilon"`   // of a question that names neither loss nor accuracy; 0: it must
	Schedule  Schedule        `json:"schedule"`          // how much of the lifetime may be spent when; none: all of it, always
}

// Schedule releases a lifetime over time: steps of rising time and share. Before its first step nothing may
// be spent. It resets nothing.
type Schedule [MaxSteps]Step

// Step is the share of every cap that may be spent from a moment on, in all.
type Step struct {
	From  Instant       `json:"from"`
	Share privacy.Share `json:"share"`
}

// Instant is a moment in whole seconds since 1970, UTC.
type Instant int64

// NoLimit is the cap that caps no clock of an account with these orders.
func NoLimit(orders privacy.Orders) privacy.Clocks {
	c := privacy.Clocks{Epsilon: privacy.Unlimited, Delta: privacy.Unlimited}
	for k := range orders.All() {
		c.Renyi[k] = privacy.Unlimited
	}
	return c
}

// complete fills in what is left out.
func (t Terms) complete(orders privacy.Orders) Terms {
	if t.Allowance == 0 {
		t.Allowance = DefaultAllowance
	}
	if t.Question == (privacy.Clocks{}) {
		t.Question = NoLimit(orders)
	}
	return t
}

func (t Terms) validate(orders privacy.Orders) error {
	if t.Allowance < 1 || t.Allowance > MaxAllowance {
		return fmt.Errorf("%w: its allowance of failures is not 1 to %d", ErrAccount, MaxAllowance)
	}
	if err := validateLimits(t.Question, orders); err != nil {
		return err
	}
	if t.Default < 0 || t.Default > privacy.MaxLifetimeEpsilon {
		return fmt.Errorf("%w: a default ε of %s", ErrAccount, t.Default)
	}
	return t.Schedule.validate()
}

// validateLimits holds limits to the clocks that there are.
func validateLimits(limits privacy.Clocks, orders privacy.Orders) error {
	if limits.Negative() {
		return fmt.Errorf("%w: a limit is negative", ErrAccount)
	}
	for k := orders.Count(); k < privacy.MaxOrders; k++ {
		if limits.Renyi[k] != 0 {
			return fmt.Errorf("%w: a limit on Rényi clock %d of %d", ErrAccount, k+1, orders.Count())
		}
	}
	return nil
}

func (s Schedule) validate() error {
	steps := s.Steps()
	for i, step := range s {
		switch {
		case i >= len(steps) && step != Step{}:
			return fmt.Errorf("%w: its schedule has a gap", ErrAccount)
		case i >= len(steps):
		case step.From <= 0 || step.From > maxInstant:
			return fmt.Errorf("%w: a step of its schedule is not within the years 1970 to 9999", ErrAccount)
		case step.Share <= 0 || step.Share > privacy.OneShare:
			return fmt.Errorf("%w: a share of %s; it is above 0 and at most 1", ErrAccount, step.Share)
		case i > 0 && (step.From <= s[i-1].From || step.Share < s[i-1].Share):
			return fmt.Errorf("%w: its schedule must rise: each step later than the one before, and no smaller", ErrAccount)
		}
	}
	return nil
}

// Steps are the steps in use.
func (s Schedule) Steps() []Step {
	for i, step := range s {
		if step == (Step{}) {
			return s[:i]
		}
	}
	return s[:]
}

// Share is how much of the lifetime may be spent at a moment.
func (s Schedule) Share(at time.Time) privacy.Share {
	steps := s.Steps()
	if len(steps) == 0 {
		return privacy.OneShare
	}
	var share privacy.Share
	for _, step := range steps {
		if int64(step.From) <= at.Unix() {
			share = step.Share
		}
	}
	return share
}

// of is that share of caps, rounded down.
func of(share privacy.Share, caps privacy.Clocks) privacy.Clocks {
	caps.Epsilon = privacy.Epsilon(part(int64(caps.Epsilon), int64(share), int64(privacy.OneShare)))
	caps.Delta = privacy.Delta(part(int64(caps.Delta), int64(share), int64(privacy.OneShare)))
	for k, limit := range caps.Renyi {
		caps.Renyi[k] = privacy.Renyi(part(int64(limit), int64(share), int64(privacy.OneShare)))
	}
	return caps
}

// maxInstant is the last second of the year 9999.
const maxInstant Instant = 253402300799

// Time is the moment, in UTC.
func (i Instant) Time() time.Time { return time.Unix(int64(i), 0).UTC() }

// MarshalText writes RFC 3339.
func (i Instant) MarshalText() ([]byte, error) { return i.Time().MarshalText() }

// UnmarshalText reads RFC 3339 in whole seconds.
func (i *Instant) UnmarshalText(b []byte) error {
	t, err := time.Parse(time.RFC3339, string(b))
	if err != nil || t.Nanosecond() != 0 {
		return fmt.Errorf("%w: %.40q is not a moment such as 2027-01-01T00:00:00Z", ErrAccount, b)
	}
	*i = Instant(t.Unix())
	return nil
}

// MarshalJSON writes the steps in use as a list.
func (s Schedule) MarshalJSON() ([]byte, error) {
	steps := s.Steps()
	if len(steps) == 0 {
		steps = []Step{}
	}
	return json.Marshal(steps)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (s *Schedule) UnmarshalJSON(b []byte) error { return readList(s[:], b) }
