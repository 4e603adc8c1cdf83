package audit

import (
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// Signer signs a log's checkpoints. Whoever has its seed can rewrite the log for everybody who has not
// kept an older checkpoint.
type Signer struct {
	origin   string
	verifier string
	signer   note.Signer
}

// NewSigner makes the signer of the log with this origin, from 32 secret random bytes. The origin is
// also the key's name: a URL without a scheme, such as example.org/entrepot, without spaces and +.
func NewSigner(name string, seed []byte) (*Signer, error) {
	if err := origin(name); err != nil {
		return nil, err
	}
	if len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("the signing seed has %d bytes, not %d", len(seed), ed25519.SeedSize)
	}
	public := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
	verifier, err := note.NewEd25519VerifierKey(name, public)
	if err != nil {
		return nil, err
	}
	// note makes signers from text only: PRIVATE+KEY+name+hash+base64(1 ‖ seed), with the hash that
	// the public key carries.
	hash, _, _ := strings.Cut(strings.TrimPrefix(verifier, name+"+"), "+")
	secret := base64.StdEncoding.EncodeToString(append([]byte{1}, seed...))
	signer, err := note.NewSigner("PRIVATE+KEY+" + name + "+" + hash + "+" + secret)
	if err != nil {
		return nil, err
	}
	return &Signer{origin: name, verifier: verifier, signer: signer}, nil
}

// Origin is the log's name.
func (s *Signer) Origin() string { return s.origin }

// VerifierKey is the public key, as text that ReadCheckpoint and Verify take. Publish it.
func (s *Signer) VerifierKey() string { return s.verifier }

// Sign writes the signed checkpoint. c.Origin is set to the signer's. It refuses one longer than MaxCheckpoint,
// which nobody would read.
func (s *Signer) Sign(c Checkpoint) ([]byte, error) {
	c.Origin = s.origin
	text, err := c.text()
	if err != nil {
		return nil, err
	}
	signed, err := note.Sign(&note.Note{Text: text}, s.signer)
	if err == nil && len(signed) > MaxCheckpoint {
		return nil, tooLong()
	}
	return signed, err
}

// origin checks a log's name.
func origin(s string) error {
	if token("origin", s) != nil || strings.Contains(s, "+") {
		return fmt.Errorf("%w: the origin is not a name without spaces and + signs", ErrCheckpoint)
	}
	return nil
}
