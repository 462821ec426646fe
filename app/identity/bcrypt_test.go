package identity

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
)

func hashOf(t *testing.T, password string, cost int) string {
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

// TestCompareTakesTheSameTime measures what could tell a stranger who exists:
// an unknown user, a wrong password, an impossible one, and a user whose hash
// is from when the cost was lower. Rounds are interleaved and the medians
// compared, up to three times, since the machine has other work.
func TestCompareTakesTheSameTime(t *testing.T) {
	const cost, rounds, tolerance = 8, 9, 0.30
	kinds := []struct{ name, hash, given string }{
		{"wrong", hashOf(t, goodPassword, cost), "wrong password"},
		{"unknown user", "", "wrong password"},
		{"too long", hashOf(t, goodPassword, cost), strings.Repeat("x", 5000)},
		{"with NUL", hashOf(t, goodPassword, cost), goodPassword + "\x00"},
		{"lower cost", hashOf(t, goodPassword, cost-3), "wrong password"},
		{"right", hashOf(t, goodPassword, cost), goodPassword},
	}
	var worst float64
	for range 3 {
		took := make([][]time.Duration, len(kinds))
		for range rounds {
			for i, k := range kinds {
				begin := time.Now()
				same := compare(k.hash, k.given, cost)
				took[i] = append(took[i], time.Since(begin))
				if same != (k.name == "right") {
					t.Fatalf("%s: %v", k.name, same)
				}
			}
		}
		worst = 0
		var base float64
		for i, k := range kinds {
			slices.Sort(took[i])
			median := float64(took[i][rounds/2])
			if i == 0 {
				base = median
			}
			off := math.Abs(median/base - 1)
			worst = max(worst, off)
			t.Logf("%-13s %8.2f ms  %+.0f %%", k.name, median/1e6, 100*(median/base-1))
		}
		if worst <= tolerance {
			return
		}
	}
	t.Errorf("the medians differ by %.0f %%", 100*worst)
}
