package main

import (
	"strings"
	"time"

	"github.com/spf13/cobra"

	"entrepot/privacy"
	"entrepot/privacy/ledger"
	"entrepot/sandbox"
)

// lifetimeFlags are the flags of a lifetime; one that is not given changes nothing.
type lifetimeFlags struct{ epsilon, delta *string }

func addLifetime(c *cobra.Command) lifetimeFlags {
	return lifetimeFlags{c.Flags().String("epsilon", "", "lifetime ε"), c.Flags().String("delta", "", "lifetime δ")}
}

func (l lifetimeFlags) read(b *accountBody) (err error) {
	if *l.epsilon != "" {
		if b.Epsilon, err = privacy.ParseEpsilon(*l.epsilon); err != nil {
			return usage("--epsilon: %w", err)
		}
	}
	if *l.delta != "" {
		if b.Delta, err = privacy.ParseDelta(*l.delta); err != nil {
			return usage("--delta: %w", err)
		}
	}
	return nil
}

// termsFlags are the flags of an account's terms; one that is not given changes nothing.
type termsFlags struct {
	allowance      *int64
	question       capsFlags
	defaultEpsilon *string
	schedule       *[]string
}

func addTerms(c *cobra.Command) termsFlags {
	f := c.Flags()
	return termsFlags{
		allowance:      f.Int64("failure-allowance", 0, "failed questions that freeze the account (default 3)"),
		question:       addCaps(c, "max-", "the most %s that one question may cost; inf for no limit"),
		defaultEpsilon: f.String("default-epsilon", "", "ε of a question that names neither loss nor accuracy; 0: it has to"),
		schedule: f.StringSlice("schedule", nil,
			"share of the budget that may be spent from a day on, such as 2027-01-01=0.5,2028-01-01=1; none for all of it, always"),
	}
}

func (t termsFlags) read(b *accountBody) (err error) {
	if *t.allowance != 0 {
		b.FailureAllowance = *t.allowance
	}
	switch *t.defaultEpsilon {
	case "":
	case "0":
		b.DefaultEpsilon = 0
	default:
		if b.DefaultEpsilon, err = privacy.ParseEpsilon(*t.defaultEpsilon); err != nil {
			return usage("--default-epsilon: %w", err)
		}
	}
	if b.Question, err = t.question.over(b.Question); err != nil {
		return err
	}
	if len(*t.schedule) > 0 {
		b.Schedule, err = parseSchedule(*t.schedule)
	}
	return err
}

// parseOrders reads α=δ, one for each Rényi clock.
func parseOrders(list []string) ([]sandbox.AccountOrder, error) {
	var orders []sandbox.AccountOrder
	for _, text := range list {
		order, delta, found := strings.Cut(text, "=")
		var o sandbox.AccountOrder
		if !found {
			return nil, usage("--order: %q is not an order and its part of δ, such as 23.256=4.5e-7", printable(text))
		}
		if err := o.Order.UnmarshalText([]byte(order)); err != nil {
			return nil, usage("--order: %w", err)
		}
		var err error
		if o.Delta, err = privacy.ParseDelta(delta); err != nil {
			return nil, usage("--order: %w", err)
		}
		orders = append(orders, o)
	}
	return orders, nil
}

// parseSchedule reads moment=share; the one word none is no schedule.
func parseSchedule(list []string) ([]ledger.Step, error) {
	if len(list) == 1 && list[0] == "none" {
		return nil, nil
	}
	var steps []ledger.Step
	for _, text := range list {
		from, share, found := strings.Cut(text, "=")
		if !found {
			return nil, usage("--schedule: %q is not a day and a share, such as 2027-01-01=0.5", printable(text))
		}
		var step ledger.Step
		if day, err := time.Parse(time.DateOnly, from); err == nil {
			step.From = ledger.Instant(day.Unix())
		} else if err := step.From.UnmarshalText([]byte(from)); err != nil {
			return nil, usage("--schedule: %q is neither a day such as 2027-01-01 nor a moment such as 2027-01-01T09:00:00Z", printable(from))
		}
		if err := step.Share.UnmarshalText([]byte(share)); err != nil {
			return nil, usage("--schedule: %w", err)
		}
		steps = append(steps, step)
	}
	return steps, nil
}
