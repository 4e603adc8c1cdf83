package access

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// ErrToken is wrapped by every error of Verify. Show its own text, and only that, to whoever sent the
// token; what is wrapped around it is for the operator's log. It means: ask for a new token.
var ErrToken = errors.New("the token was not accepted")

// ErrIssuer is wrapped by the errors of Issue and of the constructors: the message says what to change
// in the arguments or the configuration.
var ErrIssuer = errors.New("tokens cannot be issued or verified like this")

// MaxTokenLife is the longest time between a token's issue and its expiry. A token cannot be revoked
// before it expires, except by taking its key away.
const MaxTokenLife = 90 * 24 * time.Hour

// claims is everything that a token says. Verify refuses a token that says more, or less.
type claims struct {
	Issuer    string `json:"iss"`
	Audience  string `json:"aud"`
	Subject   string `json:"sub"` // Principal.ID: org/name
	Roles     []Role `json:"roles"`
	IssuedAt  int64  `json:"iat"` // seconds since 1970
	NotBefore int64  `json:"nbf"`
	ExpiresAt int64  `json:"exp"`
}

// Issuer makes tokens for principals of this server: JSON web tokens signed with Ed25519.
type Issuer struct {
	Key      ed25519.PrivateKey
	Issuer   string           // who says so, the iss claim
	Audience string           // for whom, the aud claim
	Now      func() time.Time // the clock
}

// NewIssuer returns an Issuer, or an error that wraps ErrIssuer if a part is missing or malformed.
func NewIssuer(key ed25519.PrivateKey, issuer, audience string, now func() time.Time) (*Issuer, error) {
	i := &Issuer{Key: key, Issuer: issuer, Audience: audience, Now: now}
	if err := i.check(); err != nil {
		return nil, err
	}
	return i, nil
}

// Issue returns a token that says who the principal is, valid from now for ttl, in whole seconds.
// Errors wrap ErrIssuer.
func (i Issuer) Issue(p Principal, ttl time.Duration) (string, error) {
	if err := i.check(); err != nil {
		return "", err
	}
	if problem := p.problem(); problem != "" {
		return "", fmt.Errorf("%w: %s", ErrIssuer, problem)
	}
	if ttl < time.Second || ttl > MaxTokenLife {
		return "", fmt.Errorf("%w: a life of %v is not from 1s to %v", ErrIssuer, ttl, MaxTokenLife)
	}
	now := i.Now().Unix()
	token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims{
		Issuer: i.Issuer, Audience: i.Audience, Subject: p.ID, Roles: p.Roles,
		IssuedAt: now, NotBefore: now, ExpiresAt: now + int64(ttl/time.Second),
	})
	token.Header["kid"] = KeyID(i.Key.Public().(ed25519.PublicKey))
	signed, err := token.SignedString(i.Key)
	if err != nil {
		return "", fmt.Errorf("%w: sign: %w", ErrIssuer, err)
	}
	if len(signed) > MaxTokenBytes {
		return "", fmt.Errorf("%w: the token would have %d bytes, at most %d are read", ErrIssuer, len(signed), MaxTokenBytes)
	}
	return signed, nil
}

func (i Issuer) check() error {
	if len(i.Key) != ed25519.PrivateKeySize {
		return fmt.Errorf("%w: the private key is missing or not one of Ed25519", ErrIssuer)
	}
	return checkNames(i.Issuer, i.Audience, i.Now)
}

// checkNames refuses what would make a check of issuer, audience or time pass for want of anything to
// compare with.
func checkNames(issuer, audience string, now func() time.Time) error {
	const longest = 200
	if problem := textProblem(issuer, longest); problem != "" {
		return fmt.Errorf("%w: the issuer: %s", ErrIssuer, problem)
	}
	if problem := textProblem(audience, longest); problem != "" {
		return fmt.Errorf("%w: the audience: %s", ErrIssuer, problem)
	}
	if now == nil {
		return fmt.Errorf("%w: the clock is missing", ErrIssuer)
	}
	return nil
}

// KeyID is the kid by which tokens name their key: its RFC 7638 thumbprint (SHA-256, base64url).
func KeyID(key ed25519.PublicKey) string {
	x := base64.RawURLEncoding.EncodeToString(key)
	sum := sha256.Sum256([]byte(`{"crv":"Ed25519","kty":"OKP","x":"` + x + `"}`))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// principal returns whom the claims are about.
func (c claims) principal() Principal {
	org, _, _ := strings.Cut(c.Subject, "/")
	return Principal{ID: c.Subject, Organisation: org, Roles: c.Roles}
}

// The methods that the JWT library reads claims by.

func (c claims) GetExpirationTime() (*jwt.NumericDate, error) { return date(c.ExpiresAt), nil }
func (c claims) GetIssuedAt() (*jwt.NumericDate, error)       { return date(c.IssuedAt), nil }
func (c claims) GetNotBefore() (*jwt.NumericDate, error)      { return date(c.NotBefore), nil }
func (c claims) GetIssuer() (string, error)                   { return c.Issuer, nil }
func (c claims) GetSubject() (string, error)                  { return c.Subject, nil }
func (c claims) GetAudience() (jwt.ClaimStrings, error)       { return jwt.ClaimStrings{c.Audience}, nil }

// date is nil, which the library takes for missing, where the claim is absent or 0.
func date(seconds int64) *jwt.NumericDate {
	if seconds == 0 {
		return nil
	}
	return jwt.NewNumericDate(time.Unix(seconds, 0))
}
