package access

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	// MaxTokenBytes is the length of the longest token that Verify looks into.
	MaxTokenBytes = 4096
	// Leeway is how far the clocks of issuer and verifier may differ.
	Leeway = 30 * time.Second
)

// Verifier turns tokens of one issuer into principals. It comes from NewVerifier only and is safe for
// use by several goroutines; a nil *Verifier accepts nothing.
type Verifier struct {
	keys   map[string]ed25519.PublicKey // by KeyID
	parser *jwt.Parser
}

// header is everything that a token's header may say. Keys, addresses of keys and critical extensions
// in a header are refused with every other word that is not here.
type header struct {
	Algorithm string `json:"alg"`
	Type      string `json:"typ"`
	KeyID     string `json:"kid"`
}

// NewVerifier returns a Verifier that accepts tokens signed with one of keys, of this issuer, for this
// audience, by the clock now. More than one key allows their rotation. An error wraps ErrIssuer: a
// server that gets one must not start.
func NewVerifier(keys []ed25519.PublicKey, issuer, audience string, now func() time.Time) (*Verifier, error) {
	if err := checkNames(issuer, audience, now); err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("%w: there is no public key", ErrIssuer)
	}
	v := &Verifier{keys: map[string]ed25519.PublicKey{}}
	for _, key := range keys {
		if len(key) != ed25519.PublicKeySize {
			return nil, fmt.Errorf("%w: a public key is not one of Ed25519", ErrIssuer)
		}
		v.keys[KeyID(key)] = append(ed25519.PublicKey(nil), key...)
	}
	v.parser = jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}),
		jwt.WithIssuer(issuer), jwt.WithAudience(audience),
		jwt.WithExpirationRequired(), jwt.WithNotBeforeRequired(), jwt.WithIssuedAt(),
		jwt.WithLeeway(Leeway), jwt.WithTimeFunc(now), jwt.WithStrictDecoding(),
	)
	return v, nil
}

// Verify returns the principal that the token names. Every error wraps ErrToken; what it adds is for
// the operator.
func (v *Verifier) Verify(token string) (Principal, error) {
	c, err := v.verified(token)
	if err != nil {
		return Principal{}, fmt.Errorf("%w: %w", ErrToken, err)
	}
	if err := c.check(); err != nil {
		return Principal{}, fmt.Errorf("%w: %w", ErrToken, err)
	}
	return c.principal(), nil
}

// verified returns the claims of a token whose form, signature, issuer, audience and dates are good.
// The library alone would take claims written twice, claims in another case and header words that it
// does not know, so header and claims are read strictly, before and after it.
func (v *Verifier) verified(token string) (claims, error) {
	if v == nil {
		return claims{}, errors.New("there is no verifier")
	}
	first, second, err := split(token)
	if err != nil {
		return claims{}, err
	}
	var h header
	if err := strictSegment(first, &h); err != nil {
		return claims{}, fmt.Errorf("header: %w", err)
	}
	key, known := v.keys[h.KeyID]
	if !known || h.Algorithm != jwt.SigningMethodEdDSA.Alg() || h.Type != "JWT" {
		return claims{}, errors.New("header: the algorithm, type or key is not one of ours")
	}
	var loose claims
	if _, err := v.parser.ParseWithClaims(token, &loose, func(*jwt.Token) (any, error) { return key, nil }); err != nil {
		return claims{}, err
	}
	var c claims
	if err := strictSegment(second, &c); err != nil {
		return claims{}, fmt.Errorf("claims: %w", err)
	}
	return c, nil
}

// split returns a token's header and claims, still encoded. It refuses what base64 decoders pass over,
// line breaks for one, so that a token has one spelling.
func split(token string) (header, claims string, err error) {
	if len(token) > MaxTokenBytes {
		return "", "", fmt.Errorf("it has %d bytes", len(token))
	}
	for _, c := range []byte(token) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return "", "", errors.New("a character is not base64url")
		}
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return "", "", fmt.Errorf("it has %d parts", len(parts))
	}
	return parts[0], parts[1], nil
}

func strictSegment(segment string, into any) error {
	text, err := base64.RawURLEncoding.Strict().DecodeString(segment)
	if err != nil {
		return err
	}
	return decodeWith(readJSON, text, into)
}

// check is what is asked of the claims beyond signature, issuer, audience and clock.
func (c claims) check() error {
	const year9999 = 253402300799
	switch {
	case c.IssuedAt <= 0:
		return errors.New("claims: iat is missing or before 1970")
	case c.ExpiresAt > year9999, c.ExpiresAt <= c.IssuedAt, c.ExpiresAt <= c.NotBefore:
		return errors.New("claims: it expires before it begins, or never")
	case c.ExpiresAt-c.IssuedAt > int64(MaxTokenLife/time.Second):
		return errors.New("claims: its life is too long")
	}
	if problem := c.principal().problem(); problem != "" {
		return errors.New("claims: " + problem)
	}
	return nil
}
