package store

import (
	"context"
	"math"
	"math/bits"
	"time"

	"entrepot/privacy"
	"entrepot/sandbox"
)

// insertCharges stores what a question was charged, account by account.
func insertCharges(ctx context.Context, tx querier, q sandbox.Question) error {
	for _, charge := range q.Charges {
		values := append([]any{q.Entry, charge.Account, q.ID, q.Time.Unix()}, clockValues(charge.Loss)...)
		err := change(ctx, tx, `INSERT INTO charges (entry, account, question, time, epsilon, renyi_1, renyi_2, renyi_3, renyi_4, delta)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, values...)
		if err != nil {
			return err
		}
	}
	return nil
}

// Spending implements sandbox.Ledger. SQLite's own SUM fails beyond 63 bits, so it sums halves.
func (s *Store) Spending(ctx context.Context, account string, since time.Time) (privacy.Clocks, error) {
	from := since.Unix()
	if since.Nanosecond() > 0 {
		from++ // charges have whole seconds
	}
	var high, low privacy.Clocks
	err := one(ctx, s.reads, `SELECT `+sumColumns(`>> 32`)+`, `+sumColumns(`& 4294967295`)+`
		FROM charges WHERE account = ? AND time >= ?`, []any{account, from}, append(clockFields(&high), clockFields(&low)...)...)
	if err != nil {
		return privacy.Clocks{}, err
	}
	sum := privacy.Clocks{Epsilon: joined(high.Epsilon, low.Epsilon), Delta: joined(high.Delta, low.Delta)}
	for k := range sum.Renyi {
		sum.Renyi[k] = joined(high.Renyi[k], low.Renyi[k])
	}
	return sum, nil
}

// sumColumns sums one half of every clock.
func sumColumns(half string) string {
	columns := ""
	for i, clock := range []string{"epsilon", "renyi_1", "renyi_2", "renyi_3", "renyi_4", "delta"} {
		if i > 0 {
			columns += ", "
		}
		columns += `COALESCE(SUM(` + clock + ` ` + half + `), 0)`
	}
	return columns
}

// joined is high·2³² + low, at most privacy.Unlimited.
func joined[A ~int64](high, low A) A {
	carry, sum := bits.Mul64(uint64(high), 1<<32)
	sum, over := bits.Add64(sum, uint64(low), 0)
	if carry+over > 0 || sum > math.MaxInt64 {
		return privacy.Unlimited
	}
	return A(sum)
}
