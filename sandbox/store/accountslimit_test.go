package store

import (
	"context"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"entrepot/privacy"
	"entrepot/privacy/ledger"
	"entrepot/sandbox/audit"
)

// pretendLost makes accounts that were lost in a recovery, all but the last n that there may be.
func pretendLost(t testing.TB, s *Store, left int) {
	t.Helper()
	must(t, s.write(context.Background(), func(ctx context.Context, q querier) error {
		_, err := q.ExecContext(ctx, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
			INSERT INTO owed SELECT 'kr_edu/lost_' || i, 1, 0, 0, 0, 0, 0 FROM n`, maxAccounts-left)
		return err
	}))
}

// One account more than a checkpoint is sure to hold is refused; one that is named anyway is not.
func TestAccountsAreLimited(t *testing.T) {
	s := openAt(t, newPath(t))
	pretendLost(t, s, 2)
	openPure(t, s, "kr_edu/student", 1)
	openPure(t, s, "kr_edu/lost_7", 1)
	openPure(t, s, "kr_edu/teacher", 1)
	a, err := ledger.New("kr_edu/parent", ledger.Promise{Kind: ledger.KindPure, Epsilon: milli(10)}, ledger.Terms{})
	must(t, err)
	err = s.Open(context.Background(), a, owner(""))
	wantErr(t, err, ledger.ErrAccount)
	if !strings.Contains(err.Error(), "at most 3000 accounts") {
		t.Errorf("got %v", err)
	}
	openPure(t, s, "kr_edu/lost_8", 1)
	charge(t, s, "qry_1", "kr_edu/student")
}

// The longest lines of as many accounts as there may be leave room for recoveries.
func TestMostAccountsFitCheckpoint(t *testing.T) {
	most := privacy.Clocks{Epsilon: math.MaxInt64 - 1, Delta: math.MaxInt64 - 1}
	for k := range most.Renyi {
		most.Renyi[k] = math.MaxInt64 - 1
	}
	c := audit.Checkpoint{Size: math.MaxInt64}
	for i := range maxAccounts {
		c.Accounts = append(c.Accounts, audit.Spent{Account: strings.Repeat("o", 63) + fmt.Sprintf("/%s%04d", strings.Repeat("s", 59), i), Clocks: most})
	}
	for i := range int64(3_000) {
		c.Recoveries = append(c.Recoveries, audit.Mark{Index: math.MaxInt64 - 10_000 + i})
	}
	signer := testSigner(t)
	signed, err := signer.Sign(c)
	must(t, err)
	_, err = audit.ReadCheckpoint(signed, signer.Origin(), []string{signer.VerifierKey()})
	must(t, err)
	body, err := audit.MarshalBody(audit.KindRecovery, audit.Recovery{Reason: "x", Witness: string(signed), Spent: c.Accounts, Frozen: audit.Charge{}.Accounts()})
	must(t, err)
	if len(body) > audit.MaxRecovery*3/4 {
		t.Errorf("a recovery has %d bytes", len(body))
	}
}

// A recovery after which the store could sign nothing changes nothing.
func TestRecoverTooMany(t *testing.T) {
	p := newPlace(t)
	s := p.open()
	openPure(t, s, "kr_edu/student", 1)
	must(t, s.Close())
	c := audit.Checkpoint{Size: 9}
	for i := range 20_000 {
		c.Accounts = append(c.Accounts, audit.Spent{Account: fmt.Sprintf("kr_edu/a%05d", i), Clocks: privacy.Clocks{Epsilon: 1}})
	}
	seen, err := testSigner(t).Sign(c)
	must(t, err)
	for i := range c.Accounts {
		c.Accounts[i].Account = fmt.Sprintf("kr_edu/b%05d", i)
	}
	c.Root[0]++
	more, err := testSigner(t).Sign(c)
	must(t, err)
	before, err := os.ReadFile(p.witness)
	must(t, err)
	_, err = Recover(context.Background(), p.options(), acceptance, seen, more)
	wantErr(t, err, audit.ErrCheckpoint)
	if after, err := os.ReadFile(p.witness); err != nil || string(after) != string(before) {
		t.Errorf("the witness changed, %v", err)
	}
	s = p.open()
	if h, err := readHead(context.Background(), s.reads); err != nil || h.size != 1 {
		t.Errorf("the log has %d entries, %v", h.size, err)
	}
}
