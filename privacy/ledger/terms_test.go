package ledger

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"testing"
	"time"

	"entrepot/privacy"
	"pgregory.net/rapid"
)

const instant = Instant(1_800_000_000)

func TestSchedules(t *testing.T) {
	full := Schedule{}
	for i := range full {
		full[i] = Step{instant + Instant(i), 1 + privacy.Share(i)}
	}
	holes := full
	holes[5] = Step{}
	for name, c := range map[string]struct {
		s  Schedule
		ok bool
	}{
		"none":               {Schedule{}, true},
		"one":                {Schedule{{instant, privacy.OneShare}}, true},
		"as many as go":      {full, true},
		"level":              {Schedule{{instant, 7}, {instant + 1, 7}}, true},
		"never all":          {Schedule{{instant, 1}}, true},
		"the year 9999":      {Schedule{{maxInstant, 1}}, true},
		"the year 10000":     {Schedule{{maxInstant + 1, 1}}, false},
		"1970":               {Schedule{{0, 1}}, false},
		"before it":          {Schedule{{-1, 1}}, false},
		"the oldest":         {Schedule{{math.MinInt64, 1}}, false},
		"a share of 0":       {Schedule{{instant, 0}}, false},
		"a negative share":   {Schedule{{instant, -1}}, false},
		"more than all":      {Schedule{{instant, privacy.OneShare + 1}}, false},
		"two at a time":      {Schedule{{instant, 1}, {instant, 2}}, false},
		"back in time":       {Schedule{{instant, 1}, {instant - 1, 2}}, false},
		"falling":            {Schedule{{instant, 2}, {instant + 1, 1}}, false},
		"a gap":              {holes, false},
		"a gap at the start": {Schedule{{}, {instant, 1}}, false},
	} {
		_, err := New("kr_edu/student", oneOrder(), Terms{Schedule: c.s})
		if (err == nil) != c.ok || err != nil && !errors.Is(err, ErrAccount) {
			t.Errorf("%s: %v", name, err)
		}
		b, err := json.Marshal(c.s)
		var back Schedule
		if c.ok && (err != nil || json.Unmarshal(b, &back) != nil || back != c.s) {
			t.Errorf("%s reads back as %+v, %v", name, back, err)
		}
	}
	if b, _ := json.Marshal(Terms{}); string(b) != `{"failure_allowance":0,"question":{"epsilon":"0","renyi":[],"delta":"0"},"default_epsilon":"0","schedule":[]}` {
		t.Errorf("no terms: %s", b)
	}
}

func TestInstants(t *testing.T) {
	var i Instant
	if err := i.UnmarshalText([]byte("2027-01-15T17:00:00+09:00")); err != nil || i != instant {
		t.Errorf("%d, %v", i, err)
	}
	if b, err := instant.MarshalText(); err != nil || string(b) != "2027-01-15T08:00:00Z" {
		t.Errorf("%s, %v", b, err)
	}
}

// TestSharesOverTime reads a schedule to the second.
func TestSharesOverTime(t *testing.T) {
	s := Schedule{{instant, 250_000}, {instant + 10, 500_000}, {instant + 20, privacy.OneShare}}
	for name, c := range map[string]struct {
		s    Schedule
		at   time.Time
		want privacy.Share
	}{
		"no schedule":           {Schedule{}, time.Time{}, privacy.OneShare},
		"no time":               {s, time.Time{}, 0},
		"a nanosecond before":   {s, instant.Time().Add(-1), 0},
		"at the first":          {s, instant.Time(), 250_000},
		"before the second":     {s, (instant + 10).Time().Add(-1), 250_000},
		"at the second":         {s, (instant + 10).Time(), 500_000},
		"in another zone":       {s, (instant + 10).Time().In(time.FixedZone("", 9*3600)), 500_000},
		"at the last":           {s, (instant + 20).Time(), privacy.OneShare},
		"for ever":              {s, maxInstant.Time(), privacy.OneShare},
		"lowered, and for ever": {Schedule{{1, 3}}, maxInstant.Time(), 3},
	} {
		if got := c.s.Share(c.at); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// TestLimitsAreRoundedDown compares the caps at a moment with big integers: never above a share of the
// lifetime's, and less than one unit below it; rising with time; all of it at the end.
func TestLimitsAreRoundedDown(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, err := New("kr_edu/student", Promise{Kind: KindRenyi,
			Epsilon: privacy.Epsilon(rapid.Int64Range(1, int64(privacy.MaxLifetimeEpsilon)).Draw(t, "ε")),
			Delta:   privacy.Delta(rapid.Int64Range(int64(minDelta), int64(privacy.OneDelta)-1).Draw(t, "δ"))}, Terms{})
		if err != nil {
			t.Fatal(err)
		}
		a.Terms.Schedule = drawSchedule(t)
		if err := a.Validate(); err != nil {
			t.Fatal(err)
		}
		at := instant.Time().Add(time.Duration(rapid.Int64Range(-3, 30).Draw(t, "at")) * time.Second)
		limits, share := a.Limits(at), a.Terms.Schedule.Share(at)
		check := func(limit, lifetime int64) {
			want := new(big.Int).Mul(big.NewInt(lifetime), big.NewInt(int64(share)))
			if want.Quo(want, big.NewInt(int64(privacy.OneShare))).Cmp(big.NewInt(limit)) != 0 {
				t.Fatalf("%s of %d is %d", share, lifetime, limit)
			}
		}
		check(int64(limits.Epsilon), int64(a.Caps.Epsilon))
		check(int64(limits.Delta), int64(a.Caps.Delta))
		for k := range limits.Renyi {
			check(int64(limits.Renyi[k]), int64(a.Caps.Renyi[k]))
		}
		if !limits.Within(a.Caps) || !limits.Within(a.Limits(at.Add(time.Second))) || share == privacy.OneShare && limits != a.Caps {
			t.Fatalf("%+v of %+v", limits, a.Caps)
		}
	})
}

// drawSchedule is a valid schedule around the instant.
func drawSchedule(t *rapid.T) Schedule {
	var s Schedule
	from, share := instant, int64(1)
	for i := range rapid.IntRange(0, 5).Draw(t, "steps") {
		from += Instant(rapid.Int64Range(1, 5).Draw(t, "later"))
		share = rapid.Int64Range(share, int64(privacy.OneShare)).Draw(t, "share")
		s[i] = Step{from, privacy.Share(share)}
	}
	return s
}

// TestScheduleHoldsBack spends what is released and not more, on every clock.
func TestScheduleHoldsBack(t *testing.T) {
	s := Schedule{{instant, privacy.OneShare / 4}, {instant + 10, privacy.OneShare}}
	a := openWith(t, Promise{Kind: KindPure, Epsilon: privacy.OneEpsilon}, Terms{Schedule: s})
	c := Charge{a.ID, privacy.Clocks{Epsilon: privacy.OneEpsilon / 4}}
	before, first, second := instant.Time().Add(-time.Second), instant.Time(), (instant + 10).Time()
	if _, err := a.Admit(c, before); !errors.Is(err, ErrExhausted) {
		t.Errorf("before the first step: %v", err)
	}
	a, err := a.Admit(c, first)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Admit(Charge{a.ID, privacy.Clocks{Epsilon: 1}}, first); !errors.Is(err, ErrExhausted) || a.Room(first) != (privacy.Clocks{}) {
		t.Errorf("beyond the first step: %v", err)
	}
	for range 3 {
		if a, err = a.Admit(c, second); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := a.Admit(Charge{a.ID, privacy.Clocks{Epsilon: 1}}, maxInstant.Time()); !errors.Is(err, ErrExhausted) {
		t.Errorf("a schedule resets nothing: %v", err)
	}
	// Lowered below what is spent: nothing fits, nothing is lost, and it may be raised again.
	lowered, err := a.Amend(a.Promise, Terms{Schedule: Schedule{{1, 1}}})
	if err != nil || lowered.Spent != a.Spent || lowered.Room(second) != (privacy.Clocks{}) {
		t.Fatalf("%+v, %v", lowered, err)
	}
	if _, err := lowered.Admit(Charge{a.ID, privacy.Clocks{Epsilon: 1}}, second); !errors.Is(err, ErrExhausted) {
		t.Errorf("below what is spent: %v", err)
	}
	raised, err := lowered.Amend(Promise{Kind: KindPure, Epsilon: 2 * privacy.OneEpsilon}, Terms{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := raised.Admit(c, second); err != nil {
		t.Errorf("under a larger lifetime: %v", err)
	}
	if a.Spent.Epsilon = 0; !a.CouldBear(privacy.Clocks{Epsilon: privacy.OneEpsilon}) || a.CouldBear(privacy.Clocks{Epsilon: privacy.OneEpsilon + 1}) {
		t.Error("what an account could bear does not depend on its schedule")
	}
}

// TestQuestionLimit holds each charge to what one question may cost, on every clock.
func TestQuestionLimit(t *testing.T) {
	limit := privacy.Clocks{Epsilon: 100, Renyi: privacy.Divergences{privacy.Unlimited}, Delta: 3}
	a := openWith(t, oneOrder(), Terms{Question: limit})
	for name, c := range map[string]struct {
		loss privacy.Clocks
		want error
	}{
		"all of it": {privacy.Clocks{Epsilon: 100, Renyi: privacy.Divergences{5 * privacy.OneRenyi}, Delta: 3}, nil},
		"more ε":    {privacy.Clocks{Epsilon: 101, Renyi: privacy.Divergences{1}}, ErrQuestion},
		"more δ":    {privacy.Clocks{Epsilon: 1, Renyi: privacy.Divergences{1}, Delta: 4}, ErrQuestion},
	} {
		if _, err := a.Admit(Charge{a.ID, c.loss}, now); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	a.Terms.Question.Renyi[0] = 7
	if _, err := a.Admit(Charge{a.ID, privacy.Clocks{Epsilon: 1, Renyi: privacy.Divergences{8}}}, now); !errors.Is(err, ErrQuestion) {
		t.Errorf("more d: %v", err)
	}
	open := openWith(t, oneOrder(), Terms{})
	if _, err := open.Admit(Charge{open.ID, privacy.Clocks{Epsilon: privacy.Unlimited, Renyi: privacy.Divergences{1}}}, now); err != nil {
		t.Errorf("without a limit, Gaussian noise: %v", err)
	}
}
