package main

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"entrepot/sandbox/audit"
)

// keySize is the size of every secret: a 256-bit master key or an Ed25519 seed [bytes].
const keySize = 32

// The secrets of a deployment, one file each in the folder keys.
const (
	masterKeyFile = "master.key" // hashes privacy IDs and commits to tables
	logKeyFile    = "log.key"    // signs checkpoints
	tokenKeyFile  = "token.key"  // signs tokens
)

// Keyring holds the deployment's secrets.
type Keyring struct {
	master []byte
	log    []byte // Ed25519 seed
	token  ed25519.PrivateKey
}

// UnitSpace derives the key that hashes the privacy IDs of a unit space.
func (k Keyring) UnitSpace(space string) []byte { return k.derive("entrepot/unit-space/v1/" + space) }

// Commitment derives the key of the commitments to tables in the log.
func (k Keyring) Commitment() []byte { return k.derive("entrepot/commitment/v1") }

func (k Keyring) derive(info string) []byte {
	key, err := hkdf.Key(sha256.New, k.master, nil, info, keySize)
	if err != nil {
		panic(err) // only for impossible lengths
	}
	return key
}

// tokenPublic is what verifies tokens.
func (k Keyring) tokenPublic() ed25519.PublicKey { return k.token.Public().(ed25519.PublicKey) }

// signer signs checkpoints; its VerifierKey is what partners check them with.
func (k Keyring) signer() (*audit.Signer, error) { return audit.NewSigner(logOrigin, k.log) }

// newKeyring makes the secrets of a new deployment: all of them or none.
func newKeyring(dir string) error {
	temp := dir + ".new"
	if err := os.RemoveAll(temp); err != nil {
		return err
	}
	if err := os.MkdirAll(temp, 0o700); err != nil {
		return err
	}
	for _, name := range []string{masterKeyFile, logKeyFile, tokenKeyFile} {
		secret := make([]byte, keySize)
		if _, err := rand.Read(secret); err != nil {
			return err
		}
		if err := writeDurably(filepath.Join(temp, name), []byte(hex.EncodeToString(secret)+"\n")); err != nil {
			return err
		}
	}
	if err := syncDir(temp); err != nil {
		return err
	}
	if err := os.Rename(temp, dir); err != nil {
		return err
	}
	return syncDir(filepath.Dir(dir))
}

// readKeyring reads the secrets. Files that others may read are refused.
func readKeyring(dir string) (Keyring, error) {
	var k Keyring
	var seeds [3][]byte
	for i, name := range []string{masterKeyFile, logKeyFile, tokenKeyFile} {
		b, err := readSecret(filepath.Join(dir, name))
		if err != nil {
			return Keyring{}, err
		}
		seeds[i] = b
	}
	k.master, k.log, k.token = seeds[0], seeds[1], ed25519.NewKeyFromSeed(seeds[2])
	return k, nil
}

func readSecret(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the key %s is missing: restore it from its backup (without it the stored tables and the log cannot be continued)", path)
	}
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("the key %s may be read by others: chmod 600 it, and think about who read it", path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	secret, err := hex.DecodeString(strings.TrimSpace(string(b)))
	if err != nil || len(secret) != keySize {
		return nil, fmt.Errorf("the key %s is damaged: it should hold %d bytes in hex", path, keySize)
	}
	return secret, nil
}

func writeDurably(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Sync(), f.Close())
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
