package store

import (
	"context"
	"testing"
)

// The end of a long log, too, is compared with what the tables know of recoveries.
func TestTailChecksRecoveries(t *testing.T) {
	for name, alter := range map[string]string{
		"less is owed":           `UPDATE owed SET spent_epsilon = spent_epsilon - 1`,
		"nothing is owed":        `DELETE FROM owed`,
		"another account's":      `UPDATE owed SET account = 'gb_ons/hone'`,
		"a recovery is missing":  `DELETE FROM recoveries`,
		"it is another entry":    `UPDATE recoveries SET entry = entry - 1`,
		"it is a changed entry":  `UPDATE recoveries SET leaf = zeroblob(32)`,
		"an account is owed too": `INSERT INTO owed SELECT 'gb_ons/other', 1, 0, 0, 0, 0, 0`,
	} {
		t.Run(name, func(t *testing.T) {
			p, _ := lose(t)
			p.recover()
			p.witness = "" // its check is another
			s := p.open()
			for _, from := range []int64{5, 6} { // with the recovery in the tail and before it
				check := func(q querier) error { return checkTail(context.Background(), q, mustHead(t, q), from) }
				must(t, s.snapshot(context.Background(), check))
				tx, err := s.writer.db.Conn(context.Background())
				must(t, err)
				_, err = tx.ExecContext(context.Background(), `BEGIN`)
				must(t, err)
				_, err = tx.ExecContext(context.Background(), alter)
				must(t, err)
				if missing := from == 6 && name == "a recovery is missing"; !missing { // that is for the witness to tell
					wantErr(t, check(tx), ErrInconsistent)
				}
				_, err = tx.ExecContext(context.Background(), `ROLLBACK`)
				must(t, err)
				must(t, tx.Close())
			}
		})
	}
}
