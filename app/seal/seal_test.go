package seal_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tenantry/app/seal"
)

func key(b byte) seal.Key {
	var k seal.Key
	for i := range k {
		k[i] = b
	}
	return k
}

func mustSeal(t *testing.T, k seal.Key, secret []byte, context string) []byte {
	t.Helper()
	sealed, err := k.Seal(secret, context)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func TestOpenGivesBackWhatWasSealed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := seal.Key(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "key"))
		secret := rapid.SliceOf(rapid.Byte()).Draw(t, "secret")
		context := rapid.String().Draw(t, "context")
		sealed, err := k.Seal(secret, context)
		if err != nil {
			t.Fatal(err)
		}
		got, err := k.Open(sealed, context)
		if err != nil || !bytes.Equal(got, secret) {
			t.Fatalf("Open = %x, %v; want %x", got, err, secret)
		}
		if len(secret) >= 8 && bytes.Contains(sealed, secret) {
			t.Fatal("the secret lies open in the sealed value")
		}
	})
}

func TestEveryFlippedBitIsSeen(t *testing.T) {
	k := key(1)
	sealed := mustSeal(t, k, []byte("mongodb://user:secret@host"), "cluster:a")
	for i := range sealed {
		for bit := range 8 {
			bad := bytes.Clone(sealed)
			bad[i] ^= 1 << bit
			if _, err := k.Open(bad, "cluster:a"); !errors.Is(err, seal.ErrDamaged) && !errors.Is(err, seal.ErrOtherKey) {
				t.Fatalf("byte %d bit %d flipped: %v", i, bit, err)
			}
		}
	}
	for n := range sealed {
		if _, err := k.Open(sealed[:n], "cluster:a"); err == nil {
			t.Fatalf("cut to %d bytes it still opens", n)
		}
	}
}

func TestOpenTellsAnotherKeyFromDamage(t *testing.T) {
	sealed := mustSeal(t, key(1), []byte("secret"), "a")
	if _, err := key(2).Open(sealed, "a"); !errors.Is(err, seal.ErrOtherKey) {
		t.Errorf("another key: %v", err)
	}
	if _, err := key(1).Open(sealed, "b"); !errors.Is(err, seal.ErrDamaged) {
		t.Errorf("another context: %v", err)
	}
}

func TestSealingTwiceDiffers(t *testing.T) {
	a, b := mustSeal(t, key(1), []byte("secret"), "a"), mustSeal(t, key(1), []byte("secret"), "a")
	if bytes.Equal(a, b) {
		t.Error("the nonce was used twice")
	}
}

func TestDerivedKeysDiffer(t *testing.T) {
	a, b, c := key(1).Derive("a"), key(1).Derive("b"), key(2).Derive("a")
	if len(a) != 32 || bytes.Equal(a, b) || bytes.Equal(a, c) {
		t.Errorf("derived keys: %x %x %x", a, b, c)
	}
	if !bytes.Equal(a, key(1).Derive("a")) {
		t.Error("one purpose gives two keys")
	}
}

func TestKeyNeverShows(t *testing.T) {
	k := key('k')
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q", "%d"} {
		fmt.Fprintf(&out, verb+" "+verb+"\n", k, struct{ K *seal.Key }{&k})
		fmt.Fprintf(&out, verb+"\n", struct{ K seal.Key }{k})
	}
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "key", k, "in", struct{ K seal.Key }{k})
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "key", k)
	_ = json.NewEncoder(&out).Encode(map[string]any{"key": k})
	for _, shown := range []string{"kkkk", "6b6b", "107 107", "107,107", "a2tra2"} {
		if strings.Contains(out.String(), shown) {
			t.Errorf("the key shows as %q in:\n%s", shown, out.String())
		}
	}
}

func FuzzOpen(f *testing.F) {
	k := key(1)
	good, err := k.Seal([]byte("secret"), "a")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:len(good)-1])
	f.Add([]byte{})
	f.Add(bytes.Repeat([]byte{1}, 60))
	f.Fuzz(func(t *testing.T, sealed []byte) {
		got, err := k.Open(sealed, "a")
		if err == nil && string(got) != "secret" { // a seed; its nonce differs per process
			t.Fatalf("a forged value opened: %x", got)
		}
	})
}

func FuzzParseKey(f *testing.F) {
	f.Add("AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=")
	f.Add("AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQF=") // not canonical
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		k, err := seal.ParseKey(s)
		if err == nil && k == (seal.Key{}) {
			t.Fatal("a key of zeros was taken")
		}
		if err != nil && len(s) > 12 && strings.Contains(err.Error(), s) {
			t.Fatalf("the error shows what was read: %v", err)
		}
	})
}
