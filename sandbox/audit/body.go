package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"entrepot/privacy/ledger"
)

var (
	// ErrEntry means that an entry, or what was to become one, breaks the format. A writer must not
	// commit what the entry was to record; a reader must not trust the log it came from.
	ErrEntry = errors.New("not a valid log entry")
	// ErrTooLarge means that an entry would be longer than MaxEntry: the question is too long to be
	// logged, so it cannot be asked. It wraps ErrEntry.
	ErrTooLarge = fmt.Errorf("%w: it is longer than %d bytes", ErrEntry, MaxEntry)
)

// maxToken is the longest identifier, in bytes.
const maxToken = 255

// Body is one of this package's body types, those that a Kind names.
type Body interface {
	// canonical returns the body with absent lists as empty ones, so that it has one JSON form, or says
	// why it cannot be the body of a kind.
	canonical(kind Kind) (Body, error)
}

// MarshalBody writes the one JSON form of a body. v is a value (not a pointer) of the type that kind
// names; anything else is ErrEntry.
func MarshalBody(kind Kind, v any) (json.RawMessage, error) {
	var body Body
	switch v.(type) {
	case Change, Opening, Amendment, Allocation, Recovery, Decision, Charge, Release, Repeat, Failure:
		body = v.(Body)
	default:
		return nil, fmt.Errorf("%w: %T is not the body of an entry", ErrEntry, v)
	}
	body, err := body.canonical(kind)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrEntry, kind, err)
	}
	return marshal(body)
}

// marshal leaves <, > and & as they are: SQL is full of them, and nobody pastes a log into HTML unescaped.
func marshal(body Body) (json.RawMessage, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(body); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrEntry, err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// ParseBody reads what MarshalBody wrote for this kind and refuses every other spelling of it. The
// result is a value of the type that kind names.
func ParseBody(kind Kind, raw json.RawMessage) (Body, error) {
	switch kind {
	case KindOrganisation, KindProject, KindDataset, KindVersion, KindPolicy, KindMerge:
		return parseAs[Change](kind, raw)
	case KindAccount:
		return parseAs[Opening](kind, raw)
	case KindAmendment:
		return parseAs[Amendment](kind, raw)
	case KindAllocation:
		return parseAs[Allocation](kind, raw)
	case KindRecovery:
		return parseAs[Recovery](kind, raw)
	case KindDecision:
		return parseAs[Decision](kind, raw)
	case KindCharge:
		return parseAs[Charge](kind, raw)
	case KindRelease:
		return parseAs[Release](kind, raw)
	case KindRepeat:
		return parseAs[Repeat](kind, raw)
	case KindFailure:
		return parseAs[Failure](kind, raw)
	}
	return nil, fmt.Errorf("%w: there is no kind %.20q", ErrEntry, kind)
}

// parseAs compares with the re-encoding, which refuses duplicate keys, keys in another case or order,
// spaces, other escapes and other spellings of numbers in one stroke.
func parseAs[T Body](kind Kind, raw json.RawMessage) (Body, error) {
	var v T
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&v); err != nil {
		return nil, fmt.Errorf("%w: body of %s: %w", ErrEntry, kind, err)
	}
	body, err := v.canonical(kind)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrEntry, kind, err)
	}
	again, err := marshal(body)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(again, raw) {
		return nil, fmt.Errorf("%w: body of %s is not in canonical form", ErrEntry, kind)
	}
	return body, nil
}

func (c Change) canonical(kind Kind) (Body, error) {
	c.Spaces = list(c.Spaces)
	switch kind {
	case KindOrganisation, KindProject, KindDataset, KindVersion, KindPolicy, KindMerge:
	default:
		return nil, errors.New("a change is not its body")
	}
	if c.Revision < 1 {
		return nil, fmt.Errorf("revision %d is below 1", c.Revision)
	}
	return c, errors.Join(token("resource", c.Resource), digest(c.Digest))
}

func (o Opening) canonical(kind Kind) (Body, error) {
	if o.Reason != "" {
		if err := CheckReason(o.Reason); err != nil {
			return nil, err
		}
	}
	return o, errors.Join(is(kind, KindAccount), accountID(o.Account.ID))
}

func (d Decision) canonical(kind Kind) (Body, error) {
	d.Datasets, d.Spaces = list(d.Datasets), list(d.Spaces)
	if d.Verdict != VerdictDenied && d.Verdict != VerdictExhausted && d.Verdict != VerdictFrozen {
		return nil, fmt.Errorf("there is no verdict %.20q", d.Verdict)
	}
	return d, errors.Join(is(kind, KindDecision), token("query", d.Query))
}

func (c Charge) canonical(kind Kind) (Body, error) {
	c.Datasets, c.Charges, c.Spent = list(c.Datasets), list(c.Charges), list(c.Spent)
	if len(c.Charges) == 0 {
		return nil, errors.New("it charges no account")
	}
	if len(c.Spent) != len(c.Charges) {
		return nil, fmt.Errorf("it charges %d accounts and tells the clocks of %d", len(c.Charges), len(c.Spent))
	}
	for i, charge := range c.Charges {
		if err := accountID(charge.Account); err != nil {
			return nil, err
		}
		if i > 0 && c.Charges[i-1].Account >= charge.Account {
			return nil, errors.New("its accounts are not sorted, each once")
		}
		if c.Spent[i].Account != charge.Account {
			return nil, errors.New("its clocks are not those of the accounts it charges")
		}
	}
	return c, errors.Join(is(kind, KindCharge), token("query", c.Query))
}

// Accounts names the accounts charged, sorted.
func (c Charge) Accounts() []string {
	names := make([]string, len(c.Charges))
	for i, charge := range c.Charges {
		names[i] = charge.Account
	}
	return names
}

// SortCharges returns the charges in the order in which an entry lists them.
func SortCharges(charges []ledger.Charge) []ledger.Charge {
	sorted := slices.Clone(charges)
	slices.SortFunc(sorted, func(a, b ledger.Charge) int { return strings.Compare(a.Account, b.Account) })
	return sorted
}

func (r Release) canonical(kind Kind) (Body, error) {
	return r, errors.Join(is(kind, KindRelease), token("query", r.Query), token("release", r.Release), digest(r.Digest))
}

func (r Repeat) canonical(kind Kind) (Body, error) {
	return r, errors.Join(is(kind, KindRepeat), token("query", r.Query), token("release", r.Release))
}

func (f Failure) canonical(kind Kind) (Body, error) {
	f.Accounts, f.Frozen = list(f.Accounts), list(f.Frozen)
	return f, errors.Join(is(kind, KindFailure), token("query", f.Query))
}

// list makes an absent list an empty one: null and [] would be two spellings of one thing.
func list[T any](items []T) []T {
	if items == nil {
		return []T{}
	}
	return items
}

func is(got, want Kind) error {
	if got != want {
		return fmt.Errorf("the body is that of %s", want)
	}
	return nil
}

// token checks an identifier: it stands alone on a line of an entry or between slashes of a URL.
func token(name, s string) error {
	if s == "" || len(s) > maxToken || !utf8.ValidString(s) {
		return fmt.Errorf("%s is not an identifier of 1 to %d bytes", name, maxToken)
	}
	if strings.ContainsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
		return fmt.Errorf("%s holds a space or a control character", name)
	}
	return nil
}

// digest checks for 256 bits in lower-case hex.
func digest(s string) error {
	if len(s) != 64 || strings.Trim(s, "0123456789abcdef") != "" {
		return errors.New("digest is not 64 digits of lower-case hex")
	}
	return nil
}

// accountID checks for org/space, each [a-z][a-z0-9_]* of at most 63 bytes.
func accountID(s string) error {
	org, space, _ := strings.Cut(s, "/")
	for _, part := range []string{org, space} {
		if part == "" || len(part) > 63 || part[0] < 'a' || part[0] > 'z' ||
			strings.Trim(part, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
			return fmt.Errorf("account %.40q is not org/space", s)
		}
	}
	return nil
}
