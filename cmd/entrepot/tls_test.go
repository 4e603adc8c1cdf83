package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestTLS: with a certificate the server speaks TLS and nothing else.
func TestTLS(t *testing.T) {
	cert, key, pool := selfSigned(t)
	c := testConfig(t.TempDir())
	c.TLSCert, c.TLSKey = cert, key
	m := &Main{Config: c, Notice: io.Discard, Log: slog.New(slog.DiscardHandler)}
	defer func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := m.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(m.URL, "https://") {
		t.Fatalf("it listens at %s", m.URL)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}}
	defer client.CloseIdleConnections()
	res, err := client.Get(m.URL + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("status %d", res.StatusCode)
	}
	if plain, err := http.Get("http" + strings.TrimPrefix(m.URL, "https") + "/healthz"); err == nil {
		defer plain.Body.Close()
		if plain.StatusCode == http.StatusOK {
			t.Error("it answers without TLS, too")
		}
	}
}

// TestPlainHTTPStaysHome: tokens do not travel in the clear unless the operator says that something in front
// of the server sees to that.
func TestPlainHTTPStaysHome(t *testing.T) {
	for addr, refused := range map[string]bool{"0.0.0.0:80": true, ":8080": true, "192.0.2.7:80": true, "127.0.0.1:80": false, "localhost:80": false, "[::1]:80": false} {
		c := testConfig("data")
		c.Addr = addr
		if err := c.validate(); (err != nil) != refused {
			t.Errorf("%s: %v", addr, err)
		}
		c.PlainHTTP = true
		if err := c.validate(); err != nil {
			t.Errorf("%s behind a proxy: %v", addr, err)
		}
	}
}

// selfSigned writes a certificate for 127.0.0.1 and its key.
func selfSigned(t *testing.T) (certFile, keyFile string, pool *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})
	for path, content := range map[string][]byte{certFile: certPEM, keyFile: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool = x509.NewCertPool()
	pool.AppendCertsFromPEM(certPEM)
	return certFile, keyFile, pool
}
