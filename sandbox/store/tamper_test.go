package store

import (
	"context"
	"errors"
	"strings"
	"testing"
)

// tampered are changes of a store that fill and fillAccounts made. A name that ends in * tells of a change
// that is found only where the tail reaches back to the allocation's revision.
var tampered = map[string][]string{
	"terms of before":         {terms("accounts", `"failure_allowance":5`, `"failure_allowance":3`)},
	"promise of before":       {terms("accounts", `"epsilon":"0.2"`, `"epsilon":"0.1"`)},
	"promise not counted":     {terms("accounts", `"promises":2`, `"promises":1`)},
	"revision not counted":    {`UPDATE accounts SET revision = 1`},
	"revision of another":     {`UPDATE accounts SET revised = 0 WHERE id = 'kr_edu/student'`},
	"account left by another": {`UPDATE accounts SET entry = 12 WHERE id = 'kr_edu/student'`},
	"allocation gone*":        {`DELETE FROM allocations`},
	"allocation back": {`INSERT INTO allocations SELECT 'gb_ons/home', 'mei', 1, body, 0, 0, 0, 0, 0, 0, 16, 16 FROM allocations`,
		terms("allocations", "kr_edu/student", "kr_edu/student")},
	"allocation renamed":           {`UPDATE allocations SET name = 'lab'`},
	"allocation moved":             {`UPDATE allocations SET account = 'gb_ons/home'`},
	"allocation's cap":             {terms("allocations", `"epsilon":"0.04"`, `"epsilon":"0.05"`)},
	"allocation's scope":           {terms("allocations", `"organisation":"sg_lab"`, `"organisation":"gb_ons"`)},
	"allocation not readable":      {`UPDATE allocations SET body = x'00'`},
	"allocation's revision":        {`UPDATE allocations SET revision = 1`},
	"allocation's first revision*": {`UPDATE allocations SET revision = 1, revised = 11`, terms("allocations", `"epsilon":"0.04"`, `"epsilon":"0.05"`)},
	"allocation set back":          {`UPDATE allocations SET spent_epsilon = spent_epsilon - 1`},
	"allocation set forward*":      {`UPDATE allocations SET spent_epsilon = spent_epsilon + 1`},
	"allocation on another clock*": {`UPDATE allocations SET spent_delta = 1`},
	"allocation misses a charge":   {`UPDATE allocations SET entry = 14`},
	"allocation charged by none":   {`UPDATE allocations SET entry = 19`},
	"charge of the tail":           {`UPDATE charges SET epsilon = epsilon - 1 WHERE entry = 18`},
	"charge of the tail gone":      {`DELETE FROM charges WHERE entry = 14 AND account = 'gb_ons/home'`},
}

func tamper(t *testing.T, statements []string) string {
	t.Helper()
	path := newPath(t)
	s, err := Open(context.Background(), Options{Path: path, Signer: testSigner(t)})
	must(t, err)
	fill(t, s)
	fillAccounts(t, s)
	must(t, s.Close())
	raw(t, path, statements...)
	return path
}

// Accounts and allocations that are not what the log tells are found, however long the log is.
func TestTamperedAccounts(t *testing.T) {
	for name, statements := range tampered {
		t.Run(name, func(t *testing.T) {
			path := tamper(t, statements)
			s, err := Open(context.Background(), Options{Path: path, Signer: testSigner(t)})
			if err == nil {
				must(t, s.Close())
			}
			wantErr(t, err, ErrInconsistent)
			for _, from := range []int64{11, 13, 14} {
				found := errors.Is(checkTailAt(t, path, from), ErrInconsistent)
				if due := from < 14 || !strings.HasSuffix(name, "*"); found != due {
					t.Errorf("from entry %d: found %v", from, found)
				}
			}
		})
	}
	path := tamper(t, nil) // nothing: the cases above fail for what they change
	mustVerify(t, openAt(t, path))
	for from := range int64(20) {
		if err := checkTailAt(t, path, from); err != nil {
			t.Errorf("from entry %d: %v", from, err)
		}
	}
}

// checkTailAt compares the log from an entry on, as a long one is.
func checkTailAt(t *testing.T, path string, from int64) error {
	t.Helper()
	db, err := openReaders(path)
	must(t, err)
	defer func() { must(t, db.Close()) }()
	h, err := readHead(context.Background(), db)
	must(t, err)
	return checkTail(context.Background(), db, h, from)
}
