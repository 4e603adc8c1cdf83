package access

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	testIssuer   = "entrepot.example"
	testAudience = "entrepot.example/api"
)

var mina = Principal{"sg_lab/mina", "sg_lab", []Role{Researcher, Manager}}

// mint is a key with the issuer and verifier that go with it, at a fixed time.
type mint struct {
	key      ed25519.PrivateKey
	public   ed25519.PublicKey
	now      time.Time
	issuer   *Issuer
	verifier *Verifier
}

func newMint(t testing.TB) *mint {
	t.Helper()
	m := &mint{key: ed25519.NewKeyFromSeed([]byte("a seed of exactly 32 bytes ~~~~~")), now: time.Date(2026, 6, 1, 12, 0, 0, 500, time.UTC)}
	m.public = m.key.Public().(ed25519.PublicKey)
	clock := func() time.Time { return m.now }
	var err error
	if m.issuer, err = NewIssuer(m.key, testIssuer, testAudience, clock); err != nil {
		t.Fatal(err)
	}
	if m.verifier, err = NewVerifier([]ed25519.PublicKey{m.public}, testIssuer, testAudience, clock); err != nil {
		t.Fatal(err)
	}
	return m
}

type fields map[string]any

func (m *mint) header(change fields) string {
	return encoded(fields{"alg": "EdDSA", "typ": "JWT", "kid": KeyID(m.public)}, change)
}

func (m *mint) claims(change fields) string {
	now := m.now.Unix()
	return encoded(fields{"iss": testIssuer, "aud": testAudience, "sub": "sg_lab/mina", "roles": []string{"researcher"},
		"iat": now, "nbf": now, "exp": now + 3600}, change)
}

// encoded changes fields, deleting those set to nil, and encodes them as a segment.
func encoded(base, change fields) string {
	maps.Copy(base, change)
	maps.DeleteFunc(base, func(_ string, v any) bool { return v == nil })
	text, err := json.Marshal(base)
	if err != nil {
		panic(err)
	}
	return segment(string(text))
}

func segment(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// sign puts a good signature of the mint's key under whatever header and claims say.
func (m *mint) sign(header, claims string) string {
	return header + "." + claims + "." + segment(string(ed25519.Sign(m.key, []byte(header+"."+claims))))
}

func TestTokens(t *testing.T) {
	m := newMint(t)
	token, err := m.issuer.Issue(mina, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		after time.Duration
		ok    bool
	}{
		"at once": {0, true}, "an hour later": {time.Hour, true}, "within the leeway": {time.Hour + 29*time.Second, true},
		"past the leeway": {time.Hour + 31*time.Second, false}, "a clock behind": {-29 * time.Second, true},
		"a clock too far behind": {-31 * time.Second, false}, "a year later": {365 * 24 * time.Hour, false},
	} {
		issued := m.now
		m.now = issued.Add(c.after)
		got, err := m.verifier.Verify(token)
		m.now = issued
		if c.ok && (err != nil || !reflect.DeepEqual(got, mina)) {
			t.Errorf("%s: %+v %v", name, got, err)
		}
		if !c.ok && (!errors.Is(err, ErrToken) || !reflect.DeepEqual(got, Principal{})) {
			t.Errorf("%s: accepted as %+v", name, got)
		}
	}
	if got, err := m.verifier.Verify(m.sign(m.header(nil), m.claims(nil))); err != nil || got.ID != "sg_lab/mina" {
		t.Errorf("the forger's own good token is refused, so the forgeries show nothing: %v", err)
	}
	again, err := m.issuer.Issue(mina, time.Hour)
	if err != nil || again != token {
		t.Error("the same principal, time and life give another token")
	}
}

func TestKeyRotation(t *testing.T) {
	m := newMint(t)
	old := ed25519.NewKeyFromSeed([]byte("another seed of 32 bytes ~~~~~~~"))
	both, err := NewVerifier([]ed25519.PublicKey{m.public, old.Public().(ed25519.PublicKey)}, testIssuer, testAudience, m.issuer.Now)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []ed25519.PrivateKey{m.key, old} {
		token, err := Issuer{key, testIssuer, testAudience, m.issuer.Now}.Issue(mina, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := both.Verify(token); err != nil {
			t.Error(err)
		}
	}
	if got := KeyID(m.public); len(got) != 43 || got == KeyID(old.Public().(ed25519.PublicKey)) {
		t.Error(got)
	}
	// RFC 8037, appendix A.3.
	x, _ := base64.RawURLEncoding.DecodeString("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
	if KeyID(x) != "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k" {
		t.Error("the thumbprint is not that of RFC 8037")
	}
}

func TestConstructorsRefuse(t *testing.T) {
	m := newMint(t)
	now := m.issuer.Now
	for name, err := range map[string]error{
		"no key":       second(NewIssuer(nil, testIssuer, testAudience, now)),
		"short key":    second(NewIssuer(m.key[:31], testIssuer, testAudience, now)),
		"no issuer":    second(NewIssuer(m.key, "", testAudience, now)),
		"no audience":  second(NewIssuer(m.key, testIssuer, " ", now)),
		"no clock":     second(NewIssuer(m.key, testIssuer, testAudience, nil)),
		"v: no keys":   second(NewVerifier(nil, testIssuer, testAudience, now)),
		"v: nil key":   second(NewVerifier([]ed25519.PublicKey{nil}, testIssuer, testAudience, now)),
		"v: short key": second(NewVerifier([]ed25519.PublicKey{m.public[:31]}, testIssuer, testAudience, now)),
		"v: no iss":    second(NewVerifier([]ed25519.PublicKey{m.public}, "", testAudience, now)),
		"v: no aud":    second(NewVerifier([]ed25519.PublicKey{m.public}, testIssuer, "", now)),
		"v: newline":   second(NewVerifier([]ed25519.PublicKey{m.public}, testIssuer, "a\nb", now)),
		"v: no clock":  second(NewVerifier([]ed25519.PublicKey{m.public}, testIssuer, testAudience, nil)),
		"zero issuer":  second(Issuer{}.Issue(mina, time.Hour)),
		"no life":      second(m.issuer.Issue(mina, 0)),
		"negative":     second(m.issuer.Issue(mina, -time.Hour)),
		"long life":    second(m.issuer.Issue(mina, MaxTokenLife+1)),
		"nobody":       second(m.issuer.Issue(Principal{}, time.Hour)),
		"other org":    second(m.issuer.Issue(Principal{"sg_lab/mina", "kr_edu", mina.Roles}, time.Hour)),
		"no roles":     second(m.issuer.Issue(Principal{"sg_lab/mina", "sg_lab", nil}, time.Hour)),
		"bad role":     second(m.issuer.Issue(Principal{"sg_lab/mina", "sg_lab", []Role{"root"}}, time.Hour)),
	} {
		if !errors.Is(err, ErrIssuer) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var none *Verifier
	if _, err := none.Verify("a.b.c"); !errors.Is(err, ErrToken) {
		t.Error("a nil verifier accepts")
	}
	if _, err := new(Verifier).Verify(m.sign(m.header(nil), m.claims(nil))); !errors.Is(err, ErrToken) {
		t.Error("a zero verifier accepts")
	}
}

func second[T any](_ T, err error) error { return err }

// TestForgedTokens: none of these is accepted, and none gets more than the constant sentence.
func TestForgedTokens(t *testing.T) {
	m := newMint(t)
	forged := forgeries(t, m)
	for name, token := range forged {
		got, err := m.verifier.Verify(token)
		if err == nil || !errors.Is(err, ErrToken) || !reflect.DeepEqual(got, Principal{}) {
			t.Errorf("%s: accepted as %+v (%v)", name, got, err)
		}
		if err != nil && (len(err.Error()) > 400 || strings.ContainsAny(err.Error(), "\r\n")) {
			t.Errorf("%s: the operator's detail is %d bytes or has lines: %.400q", name, len(err.Error()), err)
		}
	}
	t.Logf("%d forgeries", len(forged))
	if len(forged) < 40 {
		t.Error("too few forgeries")
	}
}

// forgeries are tokens that must not be accepted. Most carry a good signature of the right key, so that
// the check they are about is the one that refuses them.
func forgeries(t *testing.T, m *mint) map[string]string {
	t.Helper()
	good := m.sign(m.header(nil), m.claims(nil))
	parts := strings.Split(good, ".")
	body := parts[0] + "." + parts[1]
	all := shapes(good, parts)
	now := m.now.Unix()
	for name, change := range map[string]fields{
		"wrong issuer": {"iss": "entrepot.example.org"}, "issuer in capitals": {"iss": "Entrepot.example"}, "issuer with a slash": {"iss": testIssuer + "/"},
		"no issuer": {"iss": nil}, "empty issuer": {"iss": ""}, "issuer list": {"iss": []string{testIssuer}},
		"wrong audience": {"aud": "other"}, "no audience": {"aud": nil}, "empty audience": {"aud": ""}, "audience list": {"aud": []string{testAudience}},
		"audience among others": {"aud": []string{testAudience, "other"}}, "audience prefix": {"aud": testAudience + "/x"},
		"no subject": {"sub": nil}, "subject without name": {"sub": "sg_lab"}, "subject with a path": {"sub": "sg_lab/../kr_edu"},
		"subject in capitals": {"sub": "SG_lab/mina"}, "subject in unicode": {"sub": "sg_lаb/mina"}, "subject with NUL": {"sub": "sg_lab/mina\x00"},
		"long subject": {"sub": "sg_lab/" + strings.Repeat("a", 64)}, "subject number": {"sub": 7},
		"no roles": {"roles": nil}, "empty roles": {"roles": []string{}}, "unknown role": {"roles": []string{"root"}}, "role star": {"roles": []string{"*"}},
		"role text": {"roles": "researcher"}, "role twice": {"roles": []string{"owner", "owner"}}, "role in capitals": {"roles": []string{"Owner"}},
		"expired": {"iat": now - 7200, "nbf": now - 7200, "exp": now - 3600}, "just expired": {"iat": now - 7200, "nbf": now - 7200, "exp": now - 31},
		"no expiry": {"exp": nil}, "expiry zero": {"exp": 0}, "expiry text": {"exp": fmt.Sprint(now + 3600)}, "expiry fraction": {"exp": float64(now) + 3600.5},
		"expiry exponent": {"exp": json.Number("2e9")}, "expiry beyond int64": {"exp": json.Number("99999999999999999999")},
		"expiry largest int64": {"exp": json.Number("9223372036854775807")}, "life too long": {"exp": now + int64(MaxTokenLife/time.Second) + 1},
		"not yet valid": {"nbf": now + 31}, "no nbf": {"nbf": nil}, "nbf after exp": {"nbf": now + 20, "exp": now + 10}, "null nbf": {"nbf": json.RawMessage("null")},
		"issued in the future": {"iat": now + 31}, "no iat": {"iat": nil}, "negative iat": {"iat": -1}, "iat true": {"iat": true},
		"claim nobody issues": {"admin": true}, "organisation beside the subject": {"organisation": "kr_edu"}, "another case of sub": {"Sub": "kr_edu/jin"},
	} {
		all["claims: "+name] = m.sign(m.header(nil), m.claims(change))
	}
	for name, change := range map[string]fields{
		"alg none": {"alg": "none"}, "alg None": {"alg": "None"}, "alg HS256": {"alg": "HS256"}, "alg Ed25519": {"alg": "Ed25519"}, "alg eddsa": {"alg": "eddsa"},
		"no alg": {"alg": nil}, "alg list": {"alg": []string{"EdDSA"}}, "no typ": {"typ": nil}, "typ at+jwt": {"typ": "at+jwt"}, "typ jwt": {"typ": "jwt"},
		"no kid": {"kid": nil}, "empty kid": {"kid": ""}, "kid path": {"kid": "../../../../dev/null"}, "kid SQL": {"kid": "x' UNION SELECT 'key"},
		"kid URL": {"kid": "https://evil.example/key"}, "kid with a path": {"kid": "./" + KeyID(m.public)}, "kid number": {"kid": 0},
		"kid with NUL": {"kid": KeyID(m.public) + "\x00"}, "crit": {"crit": []string{"exp"}}, "empty crit": {"crit": []string{}}, "b64 false": {"b64": false},
		"jku": {"jku": "https://evil.example/jwks"}, "x5u": {"x5u": "https://evil.example/cert"}, "x5c": {"x5c": []string{"MIIB"}},
		"jwk": {"jwk": fields{"kty": "OKP", "crv": "Ed25519", "x": segment(string(m.public))}}, "zip": {"zip": "DEF"}, "cty": {"cty": "JWT"},
		"another case of alg": {"Alg": "none"},
	} {
		all["header: "+name] = m.sign(m.header(change), m.claims(nil))
	}
	duplicates(m, all)
	otherKeys(t, m, body, all)
	return all
}

// shapes are texts that are not a token, or not the whole of one.
func shapes(good string, parts []string) map[string]string {
	sum := []byte(parts[2])
	if sum[10]++; sum[10] == 'z'+1 || sum[10] == 'Z'+1 || sum[10] == '9'+1 || sum[10] == '-'+1 || sum[10] == '_'+1 {
		sum[10] = 'A'
	}
	next := string(parts[2][len(parts[2])-1] + 1) // decodes to the same byte, with a spare bit set
	return map[string]string{
		"empty": "", "one dot": ".", "two dots": "..", "a word": "token", "two parts": parts[0] + "." + parts[1], "four parts": good + ".x",
		"no signature": parts[0] + "." + parts[1] + ".", "truncated": good[:len(good)-1], "half": good[:len(good)/2], "changed character": parts[0] + "." + parts[1] + "." + string(sum),
		"huge": good + strings.Repeat("A", 1<<20), "huge claims": parts[0] + "." + strings.Repeat("A", 1<<20) + "." + parts[2], "just too long": good + strings.Repeat("A", MaxTokenBytes+1-len(good)),
		"space before": " " + good, "newline after": good + "\n", "newline inside": good[:len(good)-4] + "\n" + good[len(good)-4:], "carriage return inside": parts[0] + "." + parts[1] + ".\r" + parts[2],
		"padding": good + "==", "bits to spare": good[:len(good)-1] + next, "bearer": "Bearer " + good, "unicode": "é" + good, "NUL": good + "\x00",
		"standard alphabet": strings.NewReplacer("-", "+", "_", "/").Replace(good) + "=",
		"claims of another": parts[0] + "." + segment(`{"sub":"kr_edu/jin"}`) + "." + parts[2],
		"header is a list":  segment("[]") + "." + parts[1] + "." + parts[2], "header is null": segment("null") + "." + parts[1] + "." + parts[2],
		"JSON serialisation": `{"protected":"` + parts[0] + `","payload":"` + parts[1] + `","signature":"` + parts[2] + `"}`,
	}
}

// duplicates are well signed, and say a thing twice: which of the two counts would depend on the reader.
func duplicates(m *mint, all map[string]string) {
	raw, _ := base64.RawURLEncoding.DecodeString(m.claims(nil))
	open := strings.TrimSuffix(string(raw), "}")
	for name, text := range map[string]string{
		"sub twice": open + `,"sub":"kr_edu/jin"}`, "roles twice": open + `,"roles":["operator"]}`, "exp twice": open + `,"exp":9999999999}`,
		"sub twice, the same": open + `,"sub":"sg_lab/mina"}`, "sub escaped": open + `,"\u0073ub":"kr_edu/jin"}`, "ROLES": open + `,"ROLES":["operator"]}`,
		"roles with a long s": open + `,"roleſ":["operator"]}`, "text after": string(raw) + `{}`, "a list": "[" + string(raw) + "]", "not UTF-8": open + ",\"jti\":\"\xff\"}",
		"not UTF-8 in sub": strings.Replace(string(raw), "mina", "min\xff", 1), "YAML": "sub: sg_lab/mina\n", "deep": strings.Repeat(`{"a":`, 300) + "1" + strings.Repeat("}", 300), "empty": "", "null": "null",
	} {
		all["claims: "+name] = m.sign(m.header(nil), segment(text))
	}
	header, _ := base64.RawURLEncoding.DecodeString(m.header(nil))
	all["header: alg twice"] = m.sign(segment(`{"alg":"none",`+string(header[1:])), m.claims(nil))
	all["header: alg twice by case"] = m.sign(segment(`{"ALG":"none",`+string(header[1:])), m.claims(nil))
}

// otherKeys are signed by something else than the mint's key.
func otherKeys(t *testing.T, m *mint, body string, all map[string]string) {
	t.Helper()
	other := ed25519.NewKeyFromSeed([]byte("another seed of 32 bytes ~~~~~~~"))
	all["another key under our kid"] = body + "." + segment(string(ed25519.Sign(other, []byte(body))))
	mine := m.header(fields{"kid": KeyID(other.Public().(ed25519.PublicKey))}) + "." + m.claims(nil)
	all["another key under its own kid"] = mine + "." + segment(string(ed25519.Sign(other, []byte(mine))))
	all["zero signature"] = body + "." + segment(string(make([]byte, 64)))
	der, err := x509.MarshalPKIXPublicKey(m.public)
	if err != nil {
		t.Fatal(err)
	}
	secrets := map[string][]byte{"bytes": m.public, "DER": der, "PEM": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), "base64": []byte(segment(string(m.public)))}
	for name, secret := range secrets {
		confused := m.header(fields{"alg": "HS256"}) + "." + m.claims(nil)
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(confused))
		all["HS256 with our public key, "+name] = confused + "." + segment(string(mac.Sum(nil)))
		confused = m.header(fields{"alg": "HS512"}) + "." + m.claims(nil)
		mac = hmac.New(sha512.New, secret)
		mac.Write([]byte(confused))
		all["HS512 with our public key, "+name] = confused + "." + segment(string(mac.Sum(nil)))
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for method, key := range map[jwt.SigningMethod]any{jwt.SigningMethodRS256: rsaKey, jwt.SigningMethodPS256: rsaKey, jwt.SigningMethodES256: ecKey, jwt.SigningMethodNone: jwt.UnsafeAllowNoneSignatureType} {
		confused := m.header(fields{"alg": method.Alg()}) + "." + m.claims(nil)
		signature, err := method.Sign(confused, key)
		if err != nil {
			t.Fatal(err)
		}
		all[method.Alg()+" with a key of its own"] = confused + "." + segment(string(signature))
		all[method.Alg()+" signature, EdDSA header"] = body + "." + segment(string(signature))
	}
	prehashed, err := other.Sign(rand.Reader, sum512(body), &ed25519.Options{Hash: crypto.SHA512})
	if err != nil {
		t.Fatal(err)
	}
	all["Ed25519ph of another key"] = body + "." + segment(string(prehashed))
	if prehashed, err = m.key.Sign(rand.Reader, sum512(body), &ed25519.Options{Hash: crypto.SHA512}); err != nil {
		t.Fatal(err)
	}
	all["Ed25519ph of our key"] = body + "." + segment(string(prehashed))
}

func sum512(s string) []byte {
	sum := sha512.Sum512([]byte(s))
	return sum[:]
}

// TestTokenBits flips every bit of a good token; each must fail.
func TestTokenBits(t *testing.T) {
	m := newMint(t)
	good := m.sign(m.header(nil), m.claims(nil))
	for i := range len(good) {
		for bit := range 8 {
			changed := []byte(good)
			changed[i] ^= 1 << bit
			if _, err := m.verifier.Verify(string(changed)); !errors.Is(err, ErrToken) {
				t.Fatalf("byte %d, bit %d", i, bit)
			}
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	m := newMint(b)
	token, err := m.issuer.Issue(mina, time.Hour)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := m.verifier.Verify(token); err != nil {
			b.Fatal(err)
		}
	}
}
