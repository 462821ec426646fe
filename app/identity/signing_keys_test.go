package identity

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"tenantry/app"
	"tenantry/app/seal"
)

// TestThumbprint is the example of RFC 8037, appendix A.3.
func TestThumbprint(t *testing.T) {
	x, err := base64.RawURLEncoding.DecodeString("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
	if err != nil {
		t.Fatal(err)
	}
	if got := thumbprint(x); got != "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k" {
		t.Errorf("thumbprint %s", got)
	}
}

// TestJWKSVerifiesOffline reads the published set as a stranger's program
// would and checks a token with nothing else.
func TestJWKSVerifiesOffline(t *testing.T) {
	w := newWorld(t)
	w.organization("acme")
	token := w.login("acme").AccessToken
	set, err := w.service.JWKS(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	var read struct{ Keys []map[string]string }
	if err := json.Unmarshal(raw, &read); err != nil {
		t.Fatal(err)
	}
	if len(read.Keys) != 1 || len(read.Keys[0]) != 6 {
		t.Fatalf("%s", raw)
	}
	k := read.Keys[0]
	if k["kty"] != "OKP" || k["crv"] != "Ed25519" || k["use"] != "sig" || k["alg"] != "EdDSA" || len(k["kid"]) != thumbprintLen {
		t.Errorf("%s", raw)
	}
	_, err = jwt.NewParser(jwt.WithTimeFunc(w.clock), jwt.WithIssuer("tenantry"), jwt.WithAudience("tenantry"), jwt.WithIssuedAt()).
		Parse(token, func(got *jwt.Token) (any, error) {
			if got.Header["kid"] != k["kid"] {
				t.Errorf("kid %v", got.Header["kid"])
			}
			x, err := base64.RawURLEncoding.DecodeString(k["x"])
			return ed25519.PublicKey(x), err
		})
	if err != nil {
		t.Errorf("offline: %v", err)
	}
}

func TestRestartKeepsTheKey(t *testing.T) {
	w := newWorld(t)
	w.organization("acme")
	token := w.login("acme").AccessToken
	again := w.start(Config{})
	if len(w.registry.signing) != 1 {
		t.Errorf("%d keys after a restart", len(w.registry.signing))
	}
	if _, err := again.Authenticate(t.Context(), token); err != nil {
		t.Error(err)
	}
}

func TestRotation(t *testing.T) {
	w := newWorld(t)
	w.organization("acme")
	first := w.service.keys.now.Load().current
	w.pass(30*24*time.Hour - time.Minute)
	old := w.login("acme")
	if err := w.service.keys.refresh(t.Context()); err != nil || w.service.keys.now.Load().current != first {
		t.Fatalf("rotated before its time, or: %v", err)
	}
	w.pass(time.Minute)
	if err := w.service.keys.refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	second := w.service.keys.now.Load().current
	if second == first {
		t.Fatal("not rotated")
	}
	fresh := w.login("acme")
	header, _ := claimsOf(t, fresh.AccessToken)
	if header["kid"] != second {
		t.Errorf("signed with %v", header["kid"])
	}
	w.service.prune(t.Context())
	for _, s := range []*Service{w.service, w.start(Config{})} {
		set, _ := s.JWKS(t.Context())
		if len(set.Keys) != 2 || set.Keys[0].KeyID != second || set.Keys[1].KeyID != first {
			t.Errorf("published %+v", set)
		}
		for _, in := range []SignIn{old, fresh} {
			if _, err := s.Authenticate(t.Context(), in.AccessToken); err != nil {
				t.Error(err)
			}
		}
	}
	w.pass(15*time.Minute + keysMargin + time.Second) // the last token of the old key is long dead
	w.service.prune(t.Context())
	if len(w.registry.signing) != 1 || w.registry.signing[0].ID != second {
		t.Errorf("%d keys are left", len(w.registry.signing))
	}
}

func TestRotationByManyServersMakesOneKey(t *testing.T) {
	w := newWorld(t)
	w.organization("acme")
	servers := []*Service{w.service}
	for range 5 {
		servers = append(servers, w.start(Config{}))
	}
	w.pass(31 * 24 * time.Hour)
	var all sync.WaitGroup
	for _, s := range servers {
		all.Go(func() {
			if err := s.keys.refresh(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if len(w.registry.signing) != 2 {
		t.Errorf("%d keys", len(w.registry.signing))
	}
	for _, s := range servers {
		if s.keys.now.Load().current != servers[0].keys.now.Load().current {
			t.Error("two servers sign with two keys")
		}
	}
}

func TestAnotherServersNewKeyIsLearned(t *testing.T) {
	w := newWorld(t)
	w.organization("acme")
	elsewhere := w.start(Config{KeyRotation: time.Minute})
	w.pass(time.Hour)
	if err := elsewhere.keys.refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	in, err := elsewhere.Login(t.Context(), LoginInput{Email: "owner@acme.example", Password: goodPassword})
	if err != nil {
		t.Fatal(err)
	}
	w.service.keys.readAt = time.Now().Add(-keysRereadAtOnce)
	if err := w.authenticate(in.AccessToken); err != nil {
		t.Errorf("a token under a new key of another server: %v", err)
	}
	before := w.registry.reads
	for range 100 { // made-up ones are no load
		w.service.keys.lookup(t.Context(), strings.Repeat("A", thumbprintLen))
	}
	if n := w.registry.reads - before; n > 1 {
		t.Errorf("%d reads for 100 unknown keys", n)
	}
}

func TestOtherSealKeyIsRefused(t *testing.T) {
	w := newWorld(t)
	_, err := w.open(seal.Key{9}, Config{})
	if !errors.Is(err, seal.ErrOtherKey) {
		t.Fatalf("New: %v", err)
	}
	for _, word := range []string{"another seal key", "seal_key", seal.FileName} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q does not say %q", err, word)
		}
	}
	if len(w.registry.signing) != 1 {
		t.Error("the refused server made a key")
	}
}

func TestDamagedKeysAreRefused(t *testing.T) {
	_, stranger, _ := ed25519.GenerateKey(nil)
	for name, damage := range map[string]func(*app.SigningKey){
		"sealed part": func(k *app.SigningKey) { k.Sealed[len(k.Sealed)-1] ^= 1 },
		"cut":         func(k *app.SigningKey) { k.Sealed = k.Sealed[:10] },
		"public half": func(k *app.SigningKey) { k.Public = stranger.Public().(ed25519.PublicKey) },
		"name":        func(k *app.SigningKey) { k.ID = thumbprint(stranger.Public().(ed25519.PublicKey)) },
		"another key under its name": func(k *app.SigningKey) {
			k.Public = stranger.Public().(ed25519.PublicKey)
			k.Sealed, _ = testKey.Seal(stranger.Seed(), sealContext(k.ID))
		},
		"no seed": func(k *app.SigningKey) { k.Sealed, _ = testKey.Seal([]byte("short"), sealContext(k.ID)) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.registry.signing[0].Sealed = bytes.Clone(w.registry.signing[0].Sealed)
			damage(&w.registry.signing[0])
			if _, err := w.open(testKey, Config{}); err == nil || errors.Is(err, seal.ErrOtherKey) {
				t.Errorf("New: %v", err)
			}
		})
	}
}

// TestFullDiskDoesNotKeepTheOldKeyFromSigning: a rotation that fails is tried
// again, and who starts meanwhile starts.
func TestFullDiskDoesNotKeepTheOldKeyFromSigning(t *testing.T) {
	w := newWorld(t)
	w.organization("acme")
	w.pass(31 * 24 * time.Hour)
	w.registry.fails["AddSigningKey"] = app.ErrNoSpace
	s := w.start(Config{})
	if _, err := s.Login(t.Context(), LoginInput{Email: "owner@acme.example", Password: goodPassword}); err != nil {
		t.Error(err)
	}
	delete(w.registry.fails, "AddSigningKey")
	if err := s.keys.refresh(t.Context()); err != nil || len(w.registry.signing) != 2 {
		t.Errorf("%d keys, %v", len(w.registry.signing), err)
	}

	empty := newFakeRegistry()
	empty.fails["AddSigningKey"] = app.ErrNoSpace
	w.registry = empty
	if _, err := w.open(testKey, Config{}); !errors.Is(err, app.ErrNoSpace) {
		t.Errorf("without any key: %v", err)
	}
}

func TestClockSetBackAcrossARotation(t *testing.T) {
	w := newWorld(t)
	w.organization("acme")
	w.pass(31 * 24 * time.Hour)
	if err := w.service.keys.refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	current := w.service.keys.now.Load().current
	w.pass(-60 * 24 * time.Hour)
	s := w.start(Config{})
	if s.keys.now.Load().current != current || len(w.registry.signing) != 2 {
		t.Error("a clock set back changed the key that signs")
	}
	before := s.keys.now.Load()
	if err := s.keys.add(t.Context(), before); err != nil {
		t.Fatal(err)
	}
	if err := s.keys.refresh(t.Context()); err != nil || s.keys.now.Load().current == current {
		t.Errorf("the new key is not the newest: %v", err)
	}
}

func TestConfigIsChecked(t *testing.T) {
	w := newWorld(t)
	for name, cfg := range map[string]Config{
		"cost 3":              {BcryptCost: 3},
		"cost 31":             {BcryptCost: 31},
		"negative workers":    {Workers: -1},
		"no life":             {AccessTokenTTL: time.Millisecond},
		"refresh too short":   {RefreshTokenTTL: time.Minute},
		"negative rotation":   {KeyRotation: -1},
		"negative longest":    {MaxWait: -1},
		"negative token life": {AccessTokenTTL: -time.Hour},
	} {
		if _, err := w.open(testKey, cfg); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
