package audit

import "fmt"

// LostError means that a log does not extend a checkpoint because it was restored from an older copy, and
// says so itself. Ask its operator what happened, and keep the checkpoint: it is evidence of what was lost.
type LostError struct {
	At, Size  int64  // index of the recovery's entry; entries that the checkpoint covers
	Uncounted string // an account that went on with less spent than the checkpoint shows; "" where there is none
}

func (e *LostError) Error() string {
	text := fmt.Sprintf("entries %d to %d, which the checkpoint seen at %d entries covers, were lost in the recovery at entry %d; ",
		e.At, e.Size-1, e.Size, e.At)
	if e.Uncounted == "" {
		return text + "every account went on with at least the clocks that the checkpoint shows"
	}
	return text + fmt.Sprintf("account %s went on as if less had been spent: the operator must recover again, with this checkpoint", e.Uncounted)
}

// Unwrap says that the log does not extend the checkpoint.
func (e *LostError) Unwrap() error { return ErrHistory }

// lost explains a checkpoint that the log does not extend by a recovery that lost what it covers, if there may be
// one.
func (h *History) lost(c Checkpoint) error {
	fork, ok := h.fork(c)
	if !ok {
		return nil
	}
	lost := &LostError{At: fork.Index, Size: c.Size}
	now := h.known()
	for _, s := range spentOf(h.Jump(c)) {
		if s.Clocks != now[s.Account] {
			lost.Uncounted = s.Account
			break
		}
	}
	return lost
}

// checkWitness checks that the log itself signed the checkpoint that a recovery went by.
func (v *verifier) checkWitness(body Body) error {
	r, ok := body.(Recovery)
	if !ok || r.Witness == "" {
		return nil
	}
	if _, _, err := readCheckpoint([]byte(r.Witness), v.origin, v.keys); err != nil {
		return fmt.Errorf("the checkpoint that it was recovered by: %w", err)
	}
	return nil
}
