package audit

import (
	"fmt"

	"entrepot/privacy"
	"entrepot/privacy/ledger"
)

// CheckOpening says why an account cannot be opened: its caps must follow from its lifetime (ε, δ), and
// it must be new. Errors wrap ledger.ErrAccount and can be shown to the owner.
func CheckOpening(a ledger.Account) error {
	if err := a.Validate(); err != nil {
		return err
	}
	if a.Spent != (privacy.Clocks{}) || a.Failures != 0 || a.Revision != 1 || a.Promises != 1 {
		return fmt.Errorf("%w: it has spent, failed or changed before it is open", ledger.ErrAccount)
	}
	return nil
}
