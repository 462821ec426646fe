package identity

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"
)

func hashOf(t testing.TB, password string, cost int) string {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), cost)
	if err != nil {
		t.Fatal(err)
	}
	return string(hash)
}

func TestCompareRefusesWhatBcryptTakesForTheSame(t *testing.T) {
	full := strings.Repeat("0123456789abcdef", 5)[:72]
	for _, tt := range []struct {
		name, stored, given string
		want                bool
	}{
		{"same", "a", "a", true},
		{"other", "a", "b", false},
		{"empty", "a", "", false},
		{"72 bytes", full, full, true},
		{"73 bytes", full, full + "x", false},
		{"a megabyte", full, full + strings.Repeat("x", 1<<20), false},
		{"NUL at the end", "a", "a\x00a", false},
		{"repeated behind NUL", "abc", "abc\x00abc\x00abc", false},
	} {
		if got := compare(hashOf(t, tt.stored, minCost), tt.given, minCost); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
	// The two that bcrypt itself cannot tell apart: if this ever fails, compare
	// can be simpler.
	for _, given := range []string{"a\x00a", "a\x00a\x00a"} {
		if bcrypt.CompareHashAndPassword([]byte(hashOf(t, "a", minCost)), []byte(given)) != nil {
			t.Errorf("bcrypt now tells %q from \"a\"", given)
		}
	}
}

func TestDummyHashIsWellFormedAndNobodys(t *testing.T) {
	for cost := minCost; cost <= maxCost; cost++ {
		got, err := bcrypt.Cost(dummyHash(cost))
		if err != nil || got != cost {
			t.Fatalf("cost %d: %d, %v", cost, got, err)
		}
	}
	hash := dummyHash(minCost)
	if err := bcrypt.CompareHashAndPassword(hash, []byte("x")); !errors.Is(err, bcrypt.ErrMismatchedHashAndPassword) {
		t.Errorf("compare: %v", err)
	}
	if bytes.Equal(hash, dummyHash(minCost)) {
		t.Error("two dummies are one")
	}
	for _, hash := range []string{"", "plain", "$2a$04$short", "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA"} {
		if compare(hash, hash, minCost) {
			t.Errorf("%q is somebody's", hash)
		}
	}
}

// TestCompareTakesTheSameWork counts what could tell a stranger who exists: an
// unknown user, a wrong password, an impossible one, and a user whose hash is
// from when the cost was lower. bcrypt's time is its work, 2^cost rounds; to
// measure it would be to fail on a busy machine. BenchmarkCompare does.
func TestCompareTakesTheSameWork(t *testing.T) {
	const cost = 8
	for _, k := range compared(t, cost) {
		work := 0
		same := compareWith(func(hash, password []byte) error {
			c, err := bcrypt.Cost(hash)
			if err != nil {
				t.Errorf("%s: %v", k.name, err)
			}
			if len(password) > maxPasswordBytes {
				t.Errorf("%s: bcrypt gets %d bytes, more than it reads", k.name, len(password))
			}
			work += 1 << c
			return bcrypt.CompareHashAndPassword(hash, password)
		}, k.hash, k.given, cost)
		if same != (k.name == "right") {
			t.Errorf("%s: %v", k.name, same)
		}
		if work != 1<<cost {
			t.Errorf("%s takes %d rounds, not %d", k.name, work, 1<<cost)
		}
	}
}

type comparison struct{ name, hash, given string }

func compared(t testing.TB, cost int) []comparison {
	return []comparison{
		{"wrong", hashOf(t, goodPassword, cost), "wrong password"},
		{"unknown user", "", "wrong password"},
		{"too long", hashOf(t, goodPassword, cost), strings.Repeat("x", 5000)},
		{"with NUL", hashOf(t, goodPassword, cost), goodPassword + "\x00"},
		{"lower cost", hashOf(t, goodPassword, cost-3), "wrong password"},
		{"right", hashOf(t, goodPassword, cost), goodPassword},
	}
}

func BenchmarkCompare(b *testing.B) {
	const cost = 8
	for _, k := range compared(b, cost) {
		b.Run(strings.ReplaceAll(k.name, " ", "-"), func(b *testing.B) {
			for b.Loop() {
				compare(k.hash, k.given, cost)
			}
		})
	}
}
