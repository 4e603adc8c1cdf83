package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"entrepot/privacy"
	"entrepot/privacy/ledger"
	"entrepot/sandbox"
)

// accountText shows one account.
func accountText(a sandbox.AccountInfo, limit int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s, revision %d\n\n", printable(a.ID), printable(string(a.State)), a.Revision)
	line := func(name, text string) { b.WriteString(pad(name, 13, false) + text + "\n") }
	line("Promised", promiseText(a))
	line("Released", releasedText(a))
	line("One question", questionText(a))
	line("Failures", fmt.Sprintf("%d of %d that freeze it", a.Failures, a.FailureAllowance))
	line("Forecast", forecastText(a))
	b.WriteString("\n" + clocksText(a, limit))
	b.WriteString("\n" + allocationsText(a, limit))
	return b.String()
}

func promiseText(a sandbox.AccountInfo) string {
	text := "ε " + a.Epsilon.String() + ", δ " + a.Delta.String() + " (" + printable(string(a.Kind)) + ")"
	if a.Promises > 1 {
		text += fmt.Sprintf("; the lifetime was raised %s", times(a.Promises-1))
	}
	return text
}

func times(n int64) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// releasedText says what the schedule releases now, and next.
func releasedText(a sandbox.AccountInfo) string {
	if len(a.Schedule) == 0 {
		return "all of it"
	}
	text := "nothing yet"
	for _, step := range a.Schedule {
		if a.Next != nil && step == *a.Next {
			break
		}
		text = "a share of " + step.Share.String()
	}
	if a.Next != nil {
		text += "; " + a.Next.Share.String() + " from " + moment(a.Next.From)
	}
	return text
}

func questionText(a sandbox.AccountInfo) string {
	text := "may cost all that is left"
	if caps := capsText(a.Question, ordersOf(a)); caps != "" {
		text = "costs at most " + caps
	}
	if a.DefaultEpsilon > 0 {
		return text + "; without a loss, ε " + a.DefaultEpsilon.String()
	}
	return text + ", and names its loss"
}

// forecastText carries the last days on.
func forecastText(a sandbox.AccountInfo) string {
	rate := fmt.Sprintf("at the last %d days' rate ", a.Forecast.Days)
	switch {
	case a.State == sandbox.AccountExhausted:
		return "nothing more fits" + nextText(a)
	case a.Forecast.Spent == privacy.Clocks{}:
		return fmt.Sprintf("none: nothing was spent in the last %d days", a.Forecast.Days)
	case a.Forecast.Until == nil && a.Forecast.DeltaUntil == nil:
		return rate + "for ever"
	}
	var list []string
	if a.Forecast.Until != nil {
		list = append(list, "until "+moment(*a.Forecast.Until))
	}
	if a.Forecast.DeltaUntil != nil {
		list = append(list, "private groups until "+moment(*a.Forecast.DeltaUntil))
	}
	return rate + strings.Join(list, ", ")
}

func nextText(a sandbox.AccountInfo) string {
	if a.Next == nil {
		return ""
	}
	return " before " + moment(a.Next.From)
}

func moment(i ledger.Instant) string { return i.Time().Format(time.RFC3339) }

// clocksText is a line for each clock: how far it has run, of what is released now, of what the lifetime gives.
func clocksText(a sandbox.AccountInfo, limit int) string {
	t := table{columns: columns("clock", "used", ">spent", ">of limit", ">of lifetime", "")}
	add := func(name, key string, used float64, spent, limit, lifetime string) {
		state := "used up"
		if slices.Contains(a.Holding, key) {
			state = "holds"
		}
		t.add(name, bar(used), spent, limit, lifetime, state)
	}
	add("Σε", "epsilon", used(a.Spent.Epsilon, a.Limits.Epsilon), a.Spent.Epsilon.String(), a.Limits.Epsilon.String(), a.Caps.Epsilon.String())
	for k, order := range ordersOf(a).All() {
		spent, limit := a.Spent.Renyi[k], a.Limits.Renyi[k]
		add("Rényi "+order.String(), fmt.Sprintf("renyi_%d", k+1), used(spent, limit), renyiUp(spent), renyiDown(limit), renyiDown(a.Caps.Renyi[k]))
	}
	if a.Kind == ledger.KindRenyi {
		add("Σδ", "delta", used(a.Spent.Delta, a.Limits.Delta), a.Spent.Delta.String(), a.Limits.Delta.String(), a.Caps.Delta.String())
	}
	return t.text(limit)
}

func used[A ~int64](spent, limit A) float64 {
	if spent >= limit {
		return 1
	}
	return float64(spent) / float64(limit)
}

// bar draws a part of a whole; it is full, or empty, only where the part is.
func bar(part float64) string {
	const length = 10
	full := int(part * length)
	if part > 0 {
		full = max(1, full)
	}
	return strings.Repeat("█", full) + strings.Repeat("░", length-full)
}

func allocationsText(a sandbox.AccountInfo, limit int) string {
	if len(a.Allocations) == 0 {
		return "No allocations.\n"
	}
	t := table{columns: columns("allocation", "whose questions", "spent", "of at most", "state", ">revision")}
	for _, x := range a.Allocations {
		t.add(x.Name, scopeText(x.Scope), spentText(x), capsText(x.Caps, x.Orders), string(x.State), fmt.Sprint(x.Revision))
	}
	text := t.text(limit)
	if a.OverAllocated != nil && *a.OverAllocated != (privacy.Clocks{}) {
		text += "They may still spend " + amountsText(*a.OverAllocated, ordersOf(a)) + " more than the lifetime leaves; the account holds all the same.\n"
	}
	return text
}
