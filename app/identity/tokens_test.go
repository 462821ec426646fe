package identity

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/golang-jwt/jwt/v5"

	"tenantry/app"
)

// claimsOf reads a token without checking it.
func claimsOf(t *testing.T, token string) (header, payload map[string]any) {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("%d parts", len(parts))
	}
	for i, into := range []*map[string]any{&header, &payload} {
		raw, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(raw, into); err != nil {
			t.Fatal(err)
		}
	}
	return header, payload
}

func TestAccessTokenSaysWhatTheContractSays(t *testing.T) {
	w := newWorld(t)
	acme := w.organization("acme")
	in := w.login("acme")
	header, got := claimsOf(t, in.AccessToken)
	if len(header) != 3 || header["alg"] != "EdDSA" || header["typ"] != "JWT" || header["kid"] != w.service.keys.now.Load().current {
		t.Errorf("header %v", header)
	}
	at := float64(w.now.Unix())
	want := map[string]any{
		"iss": "tenantry", "sub": string(acme.OwnerID), "org": string(acme.ID), "role": "owner",
		"sid": string(in.SessionID), "iat": at, "nbf": at, "exp": at + 900,
	}
	for k, v := range want {
		if got[k] != v {
			t.Errorf("%s is %v, want %v", k, got[k], v)
		}
	}
	if aud, ok := got["aud"].([]any); !ok || len(aud) != 1 || aud[0] != "tenantry" {
		t.Errorf("aud %v", got["aud"])
	}
	if jti, _ := got["jti"].(string); !app.IsID(jti) || len(got) != len(want)+2 {
		t.Errorf("claims %v", got)
	}
}

// TestForgedTokens takes a good token's claims and tries to have others taken
// in their place.
func TestForgedTokens(t *testing.T) {
	w := newWorld(t)
	w.organization("acme")
	good := w.login("acme").AccessToken
	k := w.service.keys.now.Load()
	public := k.public[k.current]
	_, stranger, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	publicPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})

	forge := func(method jwt.SigningMethod, key any, change func(header map[string]any, c jwt.MapClaims)) string {
		header, c := claimsOf(t, good)
		token := jwt.NewWithClaims(method, jwt.MapClaims(c))
		token.Header["kid"] = header["kid"]
		if change != nil {
			change(token.Header, c)
		}
		out, err := token.SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	none := func(alg string) string {
		token := forge(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, func(h map[string]any, _ jwt.MapClaims) { h["alg"] = alg })
		return token
	}
	ours := func(change func(map[string]any, jwt.MapClaims)) string {
		return forge(jwt.SigningMethodEdDSA, k.private, change)
	}
	parts := strings.Split(good, ".")
	payload := func(change func(jwt.MapClaims)) string {
		_, c := claimsOf(t, good)
		change(c)
		raw, _ := json.Marshal(c)
		return parts[0] + "." + base64.RawURLEncoding.EncodeToString(raw) + "." + parts[2]
	}

	if _, err := w.service.Authenticate(t.Context(), ours(nil)); err != nil {
		t.Fatalf("the forger's own tool makes nothing that is taken: %v", err)
	}
	type m = map[string]any
	for name, token := range map[string]string{
		"empty":                        "",
		"nonsense":                     "nonsense",
		"dots":                         "..",
		"alg none":                     none("none"),
		"alg None":                     none("None"),
		"alg none, the signature kept": none("none") + parts[2],
		"signature left out":           parts[0] + "." + parts[1] + ".",
		"HS256 with the public key":    forge(jwt.SigningMethodHS256, []byte(public), nil),
		"HS256 with its base64":        forge(jwt.SigningMethodHS256, []byte(base64.RawURLEncoding.EncodeToString(public)), nil),
		"HS256 with its PEM":           forge(jwt.SigningMethodHS256, publicPEM, nil),
		"HS256 that says EdDSA":        forge(jwt.SigningMethodHS256, []byte(public), func(h m, _ jwt.MapClaims) { h["alg"] = "EdDSA" }),
		"another key":                  forge(jwt.SigningMethodEdDSA, stranger, nil),
		"another key, named itself": forge(jwt.SigningMethodEdDSA, stranger, func(h m, _ jwt.MapClaims) {
			h["kid"] = thumbprint(stranger.Public().(ed25519.PublicKey))
		}),
		"another key, brought along": forge(jwt.SigningMethodEdDSA, stranger, func(h m, _ jwt.MapClaims) {
			h["jwk"] = m{"kty": "OKP", "crv": "Ed25519", "x": base64.RawURLEncoding.EncodeToString(stranger.Public().(ed25519.PublicKey))}
			h["jku"] = "http://127.0.0.1/jwks"
		}),
		"no kid":              ours(func(h m, _ jwt.MapClaims) { delete(h, "kid") }),
		"kid is a number":     ours(func(h m, _ jwt.MapClaims) { h["kid"] = 1 }),
		"kid is a path":       ours(func(h m, _ jwt.MapClaims) { h["kid"] = "../../dev/null" }),
		"unknown kid":         ours(func(h m, _ jwt.MapClaims) { h["kid"] = strings.Repeat("A", thumbprintLen) }),
		"another type":        ours(func(h m, _ jwt.MapClaims) { h["typ"] = "invitation+jwt" }),
		"no type":             ours(func(h m, _ jwt.MapClaims) { delete(h, "typ") }),
		"another issuer":      ours(func(_ m, c jwt.MapClaims) { c["iss"] = "elsewhere" }),
		"no issuer":           ours(func(_ m, c jwt.MapClaims) { delete(c, "iss") }),
		"another audience":    ours(func(_ m, c jwt.MapClaims) { c["aud"] = "elsewhere" }),
		"no audience":         ours(func(_ m, c jwt.MapClaims) { delete(c, "aud") }),
		"no expiry":           ours(func(_ m, c jwt.MapClaims) { delete(c, "exp") }),
		"expiry is text":      ours(func(_ m, c jwt.MapClaims) { c["exp"] = "never" }),
		"no session":          ours(func(_ m, c jwt.MapClaims) { delete(c, "sid") }),
		"no subject":          ours(func(_ m, c jwt.MapClaims) { c["sub"] = "" }),
		"claims changed":      payload(func(c jwt.MapClaims) { c["role"] = "root" }),
		"longer life":         payload(func(c jwt.MapClaims) { c["exp"] = 1 << 50 }),
		"padded":              good + "=",
		"line end":            good + "\n",
		"space before":        " " + good,
		"a fourth part":       good + "." + parts[2],
		"last character":      good[:len(good)-1] + other(good[len(good)-1]),
		"very long":           good + strings.Repeat("A", 1<<20),
		"a refresh token":     w.login("acme").RefreshToken,
		"JSON serialization":  `{"payload":"` + parts[1] + `","protected":"` + parts[0] + `","signature":"` + parts[2] + `"}`,
		"invalid UTF-8":       "\xff.\xff.\xff",
		"a NUL":               "\x00",
		"a bearer's own word": "Bearer " + good,
	} {
		t.Run(name, func(t *testing.T) {
			for range 2 { // also what was refused before is refused
				actor, err := w.service.Authenticate(t.Context(), token)
				wantCode(t, err, app.ErrUnauthenticated, "token_invalid")
				if actor != (app.Actor{}) {
					t.Errorf("the refusal names %+v", actor)
				}
			}
		})
	}
}

// other gives a character that stands for other bits.
func other(c byte) string {
	if c == 'A' {
		return "Q"
	}
	return "A"
}

func TestTokenOfAnotherInstallation(t *testing.T) {
	w := newWorld(t)
	w.organization("acme")
	elsewhere := newWorld(t)
	elsewhere.organization("acme")
	_, err := w.service.Authenticate(t.Context(), elsewhere.login("acme").AccessToken)
	wantCode(t, err, app.ErrUnauthenticated, "token_invalid")

	// The same registry, configured for another audience.
	renamed := w.start(Config{Audience: "renamed"})
	_, err = renamed.Authenticate(t.Context(), w.login("acme").AccessToken)
	wantCode(t, err, app.ErrUnauthenticated, "token_invalid")
}

func TestTokenExpires(t *testing.T) {
	w := newWorld(t)
	w.organization("acme")
	warm, cold := w.login("acme").AccessToken, w.login("acme").AccessToken
	authenticate := func(token string) error {
		_, err := w.service.Authenticate(t.Context(), token)
		return err
	}
	if err := authenticate(warm); err != nil {
		t.Fatal(err)
	}
	w.pass(15*time.Minute - time.Second)
	if err := authenticate(warm); err != nil {
		t.Errorf("a second before its time: %v", err)
	}
	w.pass(time.Second)
	wantCode(t, authenticate(warm), app.ErrUnauthenticated, "token_expired")
	wantCode(t, authenticate(cold), app.ErrUnauthenticated, "token_expired")
	wantCode(t, authenticate(warm), app.ErrUnauthenticated, "token_expired") // out of the cache now
}

func TestExpiredTokensLeaveTheCache(t *testing.T) {
	w := newWorld(t)
	w.organization("acme")
	if _, err := w.service.Authenticate(t.Context(), w.login("acme").AccessToken); err != nil {
		t.Fatal(err)
	}
	w.service.tokens.dropExpired(w.clock())
	if w.service.tokens.kept.Len() != 1 {
		t.Error("a good token was dropped")
	}
	w.pass(15 * time.Minute)
	w.service.tokens.dropExpired(w.clock())
	if w.service.tokens.kept.Len() != 0 {
		t.Error("an expired token is kept")
	}
}

// TestClockSetBack: who signed in before the clock was set back is still
// signed in, on a server that knows the token and on one that does not.
func TestClockSetBack(t *testing.T) {
	w := newWorld(t)
	w.organization("acme")
	before := w.login("acme")
	w.pass(-24 * time.Hour)
	restarted := w.start(Config{})
	for _, s := range []*Service{w.service, restarted} {
		if _, err := s.Authenticate(t.Context(), before.AccessToken); err != nil {
			t.Errorf("a token from before: %v", err)
		}
		if _, err := s.Login(t.Context(), LoginInput{Email: "owner@acme.example", Password: goodPassword}); err != nil {
			t.Errorf("login: %v", err)
		}
	}
	after, err := restarted.Refresh(t.Context(), before.RefreshToken)
	if err != nil {
		t.Fatalf("refresh: %v", err)
	}
	if _, err := restarted.Authenticate(t.Context(), after.AccessToken); err != nil {
		t.Errorf("a refreshed token: %v", err)
	}
	w.registry.mu.Lock()
	defer w.registry.mu.Unlock()
	if s := w.registry.sessions[before.SessionID]; s.LastUsedAt.Before(s.CreatedAt) {
		t.Error("the session was used before it was made")
	}
}

func TestTheCacheKeepsNoBorrowedMemory(t *testing.T) {
	w := newWorld(t)
	w.organization("acme")
	good := w.login("acme").AccessToken
	buffer := []byte(good)
	if _, err := w.service.Authenticate(t.Context(), unsafeString(buffer)); err != nil {
		t.Fatal(err)
	}
	for i := range buffer { // as a server does that uses request memory again
		buffer[i] = 'x'
	}
	if _, err := w.service.Authenticate(t.Context(), good); err != nil {
		t.Fatal(err)
	}
	if n := w.service.tokens.kept.Len(); n != 1 {
		t.Errorf("%d entries for one token", n)
	}
	if _, kept := w.service.tokens.kept.Peek(good); !kept {
		t.Error("the token is kept under memory that changed")
	}
}

func FuzzAuthenticate(f *testing.F) {
	w := newWorld(f)
	w.organization("acme")
	w.service.refresh.key = []byte(newOperatorSecret()) // each process that fuzzes is a stranger to the others
	good := w.login("acme")
	key, _, err := w.service.FirstOperatorKey(f.Context())
	if err != nil {
		f.Fatal(err)
	}
	known := map[string]bool{good.AccessToken: true, key: true}
	for _, s := range []string{good.AccessToken, good.RefreshToken, key, "", "a.b.c", "tnt_op_", "eyJhbGciOiJub25lIn0.e30."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, token string) {
		if _, err := w.service.Authenticate(t.Context(), token); err == nil && !known[token] {
			t.Fatalf("%q is taken", token)
		}
		if _, ok := w.service.refresh.parse(token); ok && token != good.RefreshToken {
			t.Fatalf("%q is taken for a refresh token", token)
		}
	})
}

func unsafeString(b []byte) string { return unsafe.String(&b[0], len(b)) }
