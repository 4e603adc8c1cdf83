package audit

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"entrepot/privacy"
)

// MaxCheckpoint is the longest signed checkpoint in bytes, signatures of witnesses included.
const MaxCheckpoint = 1 << 20

// ErrCheckpoint means that a checkpoint is not one that its log signed. Do not use what it says.
var ErrCheckpoint = errors.New("not a valid checkpoint")

// Checkpoint is what a log signs: its first Size entries have this Root, and after them the accounts
// have spent this much.
type Checkpoint struct {
	Origin     string  // the log's name, and its key's
	Size       int64   // entries
	Root       Hash    // of the tree over them
	Accounts   []Spent // every account that was charged or is open, sorted: those included that were lost in a recovery
	Recoveries []Mark  // recoveries among the entries, in order
}

// Mark names an entry for good.
type Mark struct {
	Index int64
	Leaf  Hash
}

// text is the signed text: C2SP tlog-checkpoint, with one extension line an account, and one a recovery.
func (c Checkpoint) text() (string, error) {
	if err := origin(c.Origin); err != nil {
		return "", err
	}
	if c.Size < 0 {
		return "", fmt.Errorf("%w: size %d is negative", ErrCheckpoint, c.Size)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%d\n%s\n", c.Origin, c.Size, c.Root)
	for i, spent := range c.Accounts {
		if err := accountID(spent.Account); err != nil {
			return "", fmt.Errorf("%w: %w", ErrCheckpoint, err)
		}
		if i > 0 && c.Accounts[i-1].Account >= spent.Account {
			return "", fmt.Errorf("%w: the accounts are not sorted, each once", ErrCheckpoint)
		}
		clocks := spent.Clocks
		if clocks.Negative() {
			return "", fmt.Errorf("%w: a clock of %s is negative", ErrCheckpoint, spent.Account)
		}
		fmt.Fprintf(&b, "account %s %s %s %s\n", spent.Account, clocks.Epsilon, renyiText(clocks.Renyi), clocks.Delta)
	}
	for i, m := range c.Recoveries {
		if m.Index < 0 || m.Index >= c.Size || i > 0 && c.Recoveries[i-1].Index >= m.Index {
			return "", fmt.Errorf("%w: the recoveries are not entries of it, sorted, each once", ErrCheckpoint)
		}
		fmt.Fprintf(&b, "recovery %d %s\n", m.Index, m.Leaf)
	}
	return b.String(), nil
}

// parseCheckpoint reads what text wrote and nothing else.
func parseCheckpoint(text string) (Checkpoint, error) {
	lines := strings.Split(text, "\n")
	if len(lines) < 4 || lines[len(lines)-1] != "" {
		return Checkpoint{}, fmt.Errorf("%w: it has fewer than three lines", ErrCheckpoint)
	}
	c := Checkpoint{Origin: lines[0]}
	var err error
	if c.Size, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return Checkpoint{}, fmt.Errorf("%w: the size is not a number", ErrCheckpoint)
	}
	if c.Root, err = tlog.ParseHash(lines[2]); err != nil {
		return Checkpoint{}, fmt.Errorf("%w: the root is not a hash in base64", ErrCheckpoint)
	}
	for _, line := range lines[3 : len(lines)-1] {
		if text, ok := strings.CutPrefix(line, "recovery "); ok {
			m, err := parseMark(text)
			if err != nil {
				return Checkpoint{}, err
			}
			c.Recoveries = append(c.Recoveries, m)
			continue
		}
		spent, err := parseAccount(line)
		if err != nil {
			return Checkpoint{}, err
		}
		c.Accounts = append(c.Accounts, spent)
	}
	again, err := c.text()
	if err != nil {
		return Checkpoint{}, err
	}
	if again != text {
		return Checkpoint{}, fmt.Errorf("%w: it is not in canonical form", ErrCheckpoint)
	}
	return c, nil
}

// parseMark reads an extension line that names a recovery.
func parseMark(text string) (m Mark, err error) {
	index, leaf, _ := strings.Cut(text, " ")
	if m.Index, err = strconv.ParseInt(index, 10, 64); err == nil {
		m.Leaf, err = tlog.ParseHash(leaf)
	}
	if err != nil {
		return m, fmt.Errorf("%w: %.60q does not name a recovery", ErrCheckpoint, text)
	}
	return m, nil
}

// parseAccount reads an extension line.
func parseAccount(line string) (Spent, error) {
	words := strings.Split(line, " ")
	if len(words) != 5 || words[0] != "account" {
		return Spent{}, fmt.Errorf("%w: %.60q is not an account's clocks", ErrCheckpoint, line)
	}
	var c privacy.Clocks
	err := errors.Join(c.Epsilon.UnmarshalText([]byte(words[2])), c.Delta.UnmarshalText([]byte(words[4])))
	list := strings.Split(words[3], ",")
	if len(list) > len(c.Renyi) {
		return Spent{}, fmt.Errorf("%w: %d Rényi clocks", ErrCheckpoint, len(list))
	}
	for k, d := range list {
		err = errors.Join(err, c.Renyi[k].UnmarshalText([]byte(d)))
	}
	if err != nil {
		return Spent{}, fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	return Spent{Account: words[1], Clocks: c}, nil
}

// renyiText lists the Rényi clocks as far as they stand above 0, and is 0 where none does.
func renyiText(d privacy.Divergences) string {
	text := d[0].String()
	for k, last := 1, len(d.Used()); k < last; k++ {
		text += "," + d[k].String()
	}
	return text
}

// ReadCheckpoint checks a signed checkpoint: it must be signed by the log itself, with the key among
// keys whose name is origin. Signatures by other keys given (witnesses) must hold; those by unknown keys
// are let pass unread. keys are verifier keys as Signer.VerifierKey writes them.
func ReadCheckpoint(msg []byte, origin string, keys []string) (Checkpoint, error) {
	c, _, err := readCheckpoint(msg, origin, keys)
	return c, err
}

// readCheckpoint also returns the number of signatures by keys that were not given.
func readCheckpoint(msg []byte, origin string, keys []string) (Checkpoint, int, error) {
	if len(msg) > MaxCheckpoint {
		return Checkpoint{}, 0, tooLong()
	}
	verifiers := make([]note.Verifier, len(keys))
	for i, key := range keys {
		v, err := note.NewVerifier(key)
		if err != nil {
			return Checkpoint{}, 0, fmt.Errorf("verifier key %d: %w", i+1, err)
		}
		verifiers[i] = v
	}
	signed, err := note.Open(msg, note.VerifierList(verifiers...))
	if err != nil {
		return Checkpoint{}, 0, fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	if err := strictSignatures(msg, signed); err != nil {
		return Checkpoint{}, 0, err
	}
	c, err := parseCheckpoint(signed.Text)
	if err != nil {
		return Checkpoint{}, 0, err
	}
	if c.Origin != origin {
		return Checkpoint{}, 0, fmt.Errorf("%w: it is of the log %q, not of %q", ErrCheckpoint, c.Origin, origin)
	}
	for _, sig := range signed.Sigs {
		if sig.Name == origin {
			return c, len(signed.UnverifiedSigs), nil
		}
	}
	return Checkpoint{}, 0, fmt.Errorf("%w: no key of %q signed it", ErrCheckpoint, origin)
}

func tooLong() error {
	return fmt.Errorf("%w: it is longer than %d bytes", ErrCheckpoint, MaxCheckpoint)
}

// strictSignatures refuses what note.Open skips: a second signature by one key, and bits of base64
// padding that no decoder reads. Either could be altered unseen.
func strictSignatures(msg []byte, signed *note.Note) error {
	lines := strings.Split(strings.TrimSuffix(string(msg[len(signed.Text)+1:]), "\n"), "\n")
	if len(lines) != len(signed.Sigs)+len(signed.UnverifiedSigs) {
		return fmt.Errorf("%w: one key signed it twice", ErrCheckpoint)
	}
	for _, line := range lines {
		encoded := line[strings.LastIndexByte(line, ' ')+1:]
		raw, err := base64.StdEncoding.Strict().DecodeString(encoded)
		if err != nil || base64.StdEncoding.EncodeToString(raw) != encoded {
			return fmt.Errorf("%w: a signature is not in canonical base64", ErrCheckpoint)
		}
	}
	return nil
}

// PeekCheckpoint reads a checkpoint's text without checking any signature: for the log's own
// checkpoints, to learn their size.
func PeekCheckpoint(msg []byte) (Checkpoint, error) {
	text, _, ok := strings.Cut(string(msg), "\n\n")
	if !ok {
		return Checkpoint{}, fmt.Errorf("%w: it is not signed", ErrCheckpoint)
	}
	return parseCheckpoint(text + "\n")
}
