package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"entrepot/privacy/ledger"
	"entrepot/sandbox/audit"
)

// logged is a charge as the log tells it.
type logged struct {
	entry audit.Entry
	body  audit.Charge
}

// checkCharges holds the table of charges since an entry to the charges that the log tells, one to one.
func checkCharges(ctx context.Context, q querier, from int64, charges []logged) error {
	due, told := 0, make(map[int64]logged, len(charges))
	for _, charge := range charges {
		told[charge.entry.Index] = charge
		due += len(charge.body.Charges)
	}
	n := 0
	err := each(ctx, q, `SELECT entry, account, question, time, epsilon, renyi_1, renyi_2, renyi_3, renyi_4, delta
		FROM charges WHERE entry >= ?`, []any{from}, func(rows *sql.Rows) error {
		n++
		var index, at int64
		var question string
		var have ledger.Charge
		err := rows.Scan(append([]any{&index, &have.Account, &question, &at}, clockFields(&have.Loss)...)...)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrInconsistent, err)
		}
		want, ok := told[index]
		if !ok || want.body.Query != question || !want.entry.Time.Equal(time.Unix(at, 0)) || !slices.Contains(want.body.Charges, have) {
			return fmt.Errorf("%w: a charge of %s is not what entry %d tells", ErrInconsistent, have.Account, index)
		}
		return nil
	})
	if err == nil && n != due {
		err = fmt.Errorf("%w: %d charges where the log tells %d", ErrInconsistent, n, due)
	}
	return err
}
