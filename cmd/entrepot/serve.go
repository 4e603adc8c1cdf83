package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"entrepot/access"
	"entrepot/sandbox"
	"entrepot/sandbox/api"
	"entrepot/sandbox/engine"
	"entrepot/sandbox/store"
)

// Places in the data folder.
const (
	ledgerFile = "entrepot.db"
	keysDir    = "keys"
	tablesDir  = "tables"
	tempDir    = "tmp"
)

// logOrigin names the log in its checkpoints; tokenIssuer names this server's own issuer.
const (
	logOrigin   = "entrepot/log"
	tokenIssuer = "entrepot/local"
)

// Main is a whole server. The binary and the end-to-end tests run the same one.
type Main struct {
	Config Config
	Notice io.Writer    // what an operator should read once
	Log    *slog.Logger // the operator's log

	URL     string // where it listens, once Run has returned
	Service *sandbox.Service
	keys    Keyring
	store   *store.Store
	engine  *engine.Engine
	server  *http.Server
	served  chan error
}

// Run opens everything and serves in the background. Close must follow, also after an error.
func (m *Main) Run(ctx context.Context) (err error) {
	if err := m.openKeys(); err != nil {
		return err
	}
	if err := m.openStore(ctx); err != nil {
		return err
	}
	tables, temp, err := m.folders()
	if err != nil {
		return err
	}
	m.engine, err = engine.Open(engine.Options{Dir: tables, TempDir: temp, MemoryLimit: m.Config.MemoryMB << 20, Threads: m.Config.Threads, Questions: m.Config.Parallel, Timeout: m.Config.Deadline})
	if err != nil {
		return fmt.Errorf("engine: %w", err)
	}
	m.Service, err = sandbox.New(sandbox.Parts{
		Catalogue: m.store, Ledger: m.store, Questions: m.store, Log: m.store,
		Engine: m.engine, Keys: m.keys, Tables: tables, Temp: temp, Parallel: m.Config.Parallel, Deadline: m.Config.Deadline,
		Now: time.Now, NewID: newID, Operator: m.Log})
	if err != nil {
		return err
	}
	return m.listen(ctx, temp)
}

// openKeys reads the keys, or makes them on a first start. Keys without a ledger, or a ledger
// without keys, are not a first start: half of a deployment is missing.
func (m *Main) openKeys() (err error) {
	keys, ledger := filepath.Join(m.Config.Data, keysDir), filepath.Join(m.Config.Data, ledgerFile)
	if err := os.MkdirAll(m.Config.Data, 0o700); err != nil {
		return err
	}
	haveKeys, err := exists(keys)
	if err != nil {
		return err
	}
	haveLedger, err := exists(ledger)
	if err != nil {
		return err
	}
	switch {
	case haveKeys && !haveLedger:
		return fmt.Errorf("%s is there but %s is not: restore the ledger from its backup; a new one would forget what was spent (if this server never ran, remove %s)", keys, ledger, keys)
	case !haveKeys && haveLedger:
		return fmt.Errorf("%s is there but %s is not: restore the keys from their backup", ledger, keys)
	case !haveKeys:
		if err := newKeyring(keys); err != nil {
			return fmt.Errorf("make keys: %w", err)
		}
		fmt.Fprintf(m.Notice, firstStart, keys, m.Config.Data)
	}
	m.keys, err = readKeyring(keys)
	return err
}

const firstStart = `A new deployment.
  Back up  %[1]s  now, off this machine (e.g. tar of the folder, encrypted). Whoever holds it can sign
  tokens and link people across versions; without it neither tables nor log can be continued.
  First operator:  entrepot token --data %[2]s --organisation platform --name admin --role operator
  An owner:        entrepot organisation put kr_edu --title "..." --jurisdiction KR
                   entrepot token --data %[2]s --organisation kr_edu --name data_office --role owner
`

func (m *Main) openStore(ctx context.Context) (err error) {
	signer, err := m.keys.signer()
	if err != nil {
		return err
	}
	m.store, err = store.Open(ctx, store.Options{Path: filepath.Join(m.Config.Data, ledgerFile),
		Witness: witnessPath(m.Config.Data, m.Config.Witness), Signer: signer})
	if err != nil {
		return fmt.Errorf("ledger and log: %w", explainLoss(err, m.Config.Data, m.Config.Witness))
	}
	return nil
}

// folders makes the folder of tables and an empty temporary one. What a dead server left half
// written in them may hold rows, so it goes; the store's lock is held, so nobody else is writing.
func (m *Main) folders() (tables, temp string, err error) {
	data, err := filepath.Abs(m.Config.Data)
	if err != nil {
		return "", "", err
	}
	tables, temp = filepath.Join(data, tablesDir), filepath.Join(data, tempDir)
	if err := errors.Join(os.RemoveAll(temp), os.MkdirAll(temp, 0o700), os.MkdirAll(tables, 0o700)); err != nil {
		return "", "", err
	}
	half, err := filepath.Glob(filepath.Join(tables, ".*"))
	for _, path := range half {
		err = errors.Join(err, os.Remove(path))
	}
	return tables, temp, err
}

func (m *Main) listen(ctx context.Context, temp string) error {
	verifier, err := access.NewVerifier([]ed25519.PublicKey{m.keys.tokenPublic()}, tokenIssuer, m.Config.Audience, time.Now)
	if err != nil {
		return err
	}
	handler, err := api.New(api.Options{Service: m.Service, Verify: verifier.Verify, Logger: m.Log,
		Limits: api.Limits{Upload: m.Config.UploadLimit, Spool: temp},
		Rate:   api.Rate{PerSecond: m.Config.Rate, Burst: m.Config.Burst}})
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", m.Config.Addr)
	if err != nil {
		return fmt.Errorf("%w (choose another with --addr)", err)
	}
	m.server, m.served = api.NewServer(m.Config.Addr, handler), make(chan error, 1)
	m.server.ErrorLog = slog.NewLogLogger(m.Log.Handler(), slog.LevelDebug)
	scheme := "http"
	if m.Config.TLSCert != "" {
		scheme = "https"
	}
	m.URL = scheme + "://" + listener.Addr().String()
	go func() {
		if m.Config.TLSCert != "" {
			m.served <- m.server.ServeTLS(listener, m.Config.TLSCert, m.Config.TLSKey)
			return
		}
		m.served <- m.server.Serve(listener)
	}()
	return nil
}

// Wait returns when the context ends, or with the reason when the server stopped by itself.
func (m *Main) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-m.served:
		return err
	}
}

// Close lets running questions end, then closes everything that Run opened.
func (m *Main) Close() error {
	var errs []error
	if m.server != nil {
		ctx, cancel := context.WithTimeout(context.Background(), m.Config.Deadline)
		defer cancel()
		errs = append(errs, m.server.Shutdown(ctx))
	}
	if m.engine != nil {
		errs = append(errs, m.engine.Close())
	}
	if m.store != nil {
		errs = append(errs, m.store.Close())
	}
	return errors.Join(errs...)
}

// newID makes an unpredictable identifier of 128 bits.
func newID(prefix string) string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	return prefix + base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding).EncodeToString(b[:])
}

func exists(path string) (bool, error) {
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
