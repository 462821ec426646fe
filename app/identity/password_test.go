package identity

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"
)

func TestNewPassword(t *testing.T) {
	s := newWorld(t).service
	about := []string{"ada.lovelace@example.com", "Analytical Engine", "analytical-engine", "1842"}
	tests := []struct{ name, password, code string }{
		{"good", goodPassword, ""},
		{"eight characters", "xk7 q!pz", ""},
		{"eight characters of two bytes", "żółćęąśń", ""},
		{"72 bytes", strings.Repeat("xy", 36), ""},
		{"control characters", "a\tb\x01c\nd\u200be", ""},
		{"seven", "xk7q!pz", "password_too_short"},
		{"seven that are eight runes decomposed", "xk7q!pe\u0301", "password_too_short"},
		{"empty", "", "password_too_short"},
		{"73 bytes", strings.Repeat("x", 73), "password_too_long"},
		{"25 characters of three bytes", strings.Repeat("漢", 25), "password_too_long"},
		{"huge", strings.Repeat("x", 1<<20), "password_too_long"},
		{"NUL", "xk7\x00q!pzxx", "password_invalid"},
		{"invalid UTF-8", "xk7\xffq!pzxx", "password_invalid"},
		{"common", "password123", "password_common"},
		{"common in another case", "PassWord123", "password_common"},
		{"common but short", "любовь", "password_too_short"},
		{"first of the list", "00000000", "password_common"},
		{"the email", "Ada.Lovelace@Example.com", "password_contextual"},
		{"its local part", "ada.lovelace", "password_contextual"},
		{"with digits", "AdaLovelace1815!", "password_contextual"},
		{"digits before", "99-ada-lovelace", "password_contextual"},
		{"the name", "analytical engine", "password_contextual"},
		{"the slug", "Analytical-Engine-7", "password_contextual"},
		{"full width", "ａｎａｌｙｔｉｃａｌengine", "password_contextual"},
		{"this program", "Tenantry1!", "password_contextual"},
		{"more than the name", "analytical engine loom", ""},
		{"digits that are no context", "839205718364", ""},
		{"digits around digits", "18421842", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			hash, err := s.NewPassword(t.Context(), tt.password, about...)
			if tt.code != "" {
				wantField(t, err, "password", tt.code)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if cost, err := bcrypt.Cost([]byte(hash)); err != nil || cost != minCost {
				t.Errorf("cost %d, %v", cost, err)
			}
			if same, err := s.hasher.Compare(t.Context(), hash, normalPassword(tt.password)); err != nil || !same {
				t.Errorf("the password does not match its hash: %v", err)
			}
		})
	}
}

func TestContextIsNotTooNarrow(t *testing.T) {
	for _, tt := range []struct {
		password string
		about    string
		want     bool
	}{
		{"a1234567", "A", false},
		{"12345678a", "A", false},
		{"ab!!2222222", "ab", false},
		{"abc22222222", "abc", true},
		{"!!!!!!!!!!", "---", false},
		{"something else", "", false},
		{"20262026", "20-26-20-26", true},
	} {
		if got := contextualPassword(tt.password, []string{tt.about}); got != tt.want {
			t.Errorf("%q about %q: %v", tt.password, tt.about, got)
		}
	}
}

func TestCommonPasswordsAreAllFound(t *testing.T) {
	var c commonPasswords
	c.once.Do(c.unpack)
	all := strings.Split(strings.Trim(c.text, "\n"), "\n")
	if len(all) < 8000 || !slices.IsSorted(all) {
		t.Fatalf("%d passwords, sorted: %v", len(all), slices.IsSorted(all))
	}
	in := make(map[string]bool, len(all))
	for _, p := range all {
		in[p] = true
		if len(p) < minPasswordCharacters || p != strings.ToLower(p) {
			t.Errorf("%q does not belong in the list", p)
		}
	}
	for _, p := range all {
		if !c.contains(p) {
			t.Errorf("%q is in the list and is not found", p)
		}
		for _, near := range []string{p + "\x00", p[:len(p)-1], p + "~", "!" + p} {
			if c.contains(near) != in[near] {
				t.Errorf("%q: found %v", near, c.contains(near))
			}
		}
	}
	for _, p := range []string{"", "\n", "\nabcd1234", "abcd1234\n", "\x00", "\xff\xff"} {
		if c.contains(p) {
			t.Errorf("%q is found", p)
		}
	}
}
