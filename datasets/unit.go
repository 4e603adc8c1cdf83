package datasets

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"hash"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// MinKey is the shortest key for privacy IDs, in bytes.
const MinKey = 32

// unitID is a privacy ID as it is stored: the first 128 bits of HMAC-SHA256 of its canonical form,
// under the key of its unit space.
type unitID [16]byte

// units makes unit IDs from the cells of the privacy-ID column.
type units struct {
	convert converter
	form    IDForm
	text    bool
	mac     hash.Hash
	sum     [sha256.Size]byte
	last    string // canonical form of the ID made last: files are often sorted
	lastID  unitID
}

func newUnits(c Column, key []byte) (*units, error) {
	if len(key) < MinKey {
		return nil, fmt.Errorf("%w: it has %d bytes; %d are wanted", ErrKey, len(key), MinKey)
	}
	u := &units{convert: newConverter(c), text: c.Type == String, mac: hmac.New(sha256.New, key)}
	if c.Form != nil {
		u.form = *c.Form
	}
	return u, nil
}

// unit returns the ID for a cell; false where the row belongs to nobody.
func (u *units) unit(v *value) (unitID, outcome, bool) {
	c, how := u.convert(v)
	if c.null {
		return unitID{}, how, false
	}
	s := c.s
	if !u.text {
		s = fmt.Sprint(c.n)
	} else if s = u.form.apply(s); s == "" {
		return unitID{}, asIs, false
	}
	if s != u.last {
		u.mac.Reset()
		u.mac.Write([]byte(s))
		copy(u.lastID[:], u.mac.Sum(u.sum[:0]))
		u.last = strings.Clone(s)
	}
	return u.lastID, asIs, true
}

// apply makes the canonical form of a privacy ID: NFC, then outer white space, case, and leading
// zeros as declared. NFC again after the case mapping, which can undo it.
func (f IDForm) apply(s string) string {
	s = norm.NFC.String(s)
	if !f.KeepSpace {
		s = strings.TrimSpace(s)
	}
	switch f.Case {
	case "lower":
		s = norm.NFC.String(strings.ToLower(s))
	case "upper":
		s = norm.NFC.String(strings.ToUpper(s))
	}
	if f.StripLeadingZeros {
		if stripped := strings.TrimLeft(s, "0"); stripped != "" || s == "" {
			return stripped
		}
		return "0" // zeros only: the number 0
	}
	return s
}
