package tenancy

import (
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"tenantry/app"
)

func TestParseName(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"as it is", "Acme Corp", "Acme Corp"},
		{"spelling kept", "aCmE  cOrP!", "aCmE  cOrP!"},
		{"trimmed", " \t\u00a0Acme\u2003\n", "Acme"},
		{"composed", "E\u0301cole", "École"},
		{"compatibility forms kept", "ﬁne Ⅳ", "ﬁne Ⅳ"},
		{"one character", "A", "A"},
		{"punctuation alone", "?!", "?!"},
		{"emoji alone", "🎉", "🎉"},
		{"emoji of several", "👩‍👩‍👧", "👩‍👩‍👧"},
		{"right to left", "شركة", "شركة"},
		{"left-to-right mark", "a\u200eb", "a\u200eb"},
		{"100 characters of four bytes", strings.Repeat("𝒜", 100), strings.Repeat("𝒜", 100)},
		{"100 once composed", strings.Repeat("e\u0301", 100), strings.Repeat("é", 100)},
		{"100 once trimmed", strings.Repeat(" ", 500) + strings.Repeat("x", 100), strings.Repeat("x", 100)},
		{"what is no path", "a/../b", "a/../b"},
		{"what is no operator", "org.$x", "org.$x"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseName(tt.in)
			if err != nil || got != tt.want {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}

func TestParseNameRefuses(t *testing.T) {
	tests := []struct{ name, in, code string }{
		{"empty", "", "required"},
		{"blanks", " \t\u3000 ", "required"},
		{"101 characters", strings.Repeat("ä", 101), "too_long"},
		{"10,000 characters", strings.Repeat("x", 10_000), "too_long"},
		{"NUL", "a\x00b", "control_character"},
		{"line break inside", "a\nb", "control_character"},
		{"escape", "a\x1b[31mb", "control_character"},
		{"delete", "a\x7fb", "control_character"},
		{"C1", "a\u0085b", "control_character"},
		{"line separator", "a\u2028b", "control_character"},
		{"paragraph separator", "a\u2029b", "control_character"},
		{"right-to-left override", "a\u202etxt.exe", "control_character"},
		{"isolate", "a\u2066b", "control_character"},
		{"half a character", "a\xc3", "invalid_text"},
		{"surrogate", "a\xed\xa0\x80", "invalid_text"},
		{"overlong", "a\xc0\xafb", "invalid_text"},
		{"joiners alone", "\u200d\u200d", "invalid_text"},
		{"accents alone", "\u0301", "invalid_text"},
		{"filler of Hangul", "\u3164", "invalid_text"},
		{"empty Braille", "\u2800", "invalid_text"},
		{"nobody's characters", "\ue000\ufdd0", "invalid_text"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseName(tt.in)
			wantField(t, err, "name", tt.code)
			if got != "" {
				t.Errorf("gave %q beside the error", got)
			}
		})
	}
}

// wantField fails unless err is an app.FieldErrors of exactly one field.
func wantField(t *testing.T, err error, location, code string) {
	t.Helper()
	var fields app.FieldErrors
	if !errors.As(err, &fields) || len(fields) != 1 || fields[0].Location != location || fields[0].Code != code {
		t.Fatalf("got %#v, want %s at %s", err, code, location)
	}
	if !errors.Is(err, app.ErrInvalid) || fields[0].Message == "" {
		t.Errorf("%#v is not ErrInvalid with a message", err)
	}
}

func TestFoldName(t *testing.T) {
	tests := []struct{ a, b string }{
		{"Acme", "aCME"},
		{"Straße", "STRASSE"},
		{"ΟΔΟΣ", "οδος"},
		{"ΟΔΟς", "ΟΔΟσ"},
		{"ﬁne", "FINE"},
		{"Ａｃｍｅ", "acme"},
		{"E\u0301cole", "école"},
		{"a  b\u00a0c", "A B C"},
		{"ᏣᎳᎩ", "ꮳꮃꭹ"},
		{"Ᏸ", "ᏸ"},
		{"ᾳ", "ΑΙ"},
		{"㎒", "mhz"},
	}
	for _, tt := range tests {
		if a, b := FoldName(tt.a), FoldName(tt.b); a != b {
			t.Errorf("%q folds to %q and %q to %q", tt.a, a, tt.b, b)
		}
	}
	for _, pair := range [][2]string{{"Acme", "Acmé"}, {"acme", "ac me"}, {"a-b", "a b"}} {
		if FoldName(pair[0]) == FoldName(pair[1]) {
			t.Errorf("%q and %q fold to one", pair[0], pair[1])
		}
	}
}

// text draws what people and others type: letters of every script, and what
// has a meaning of its own to Unicode, to a shell, a path or a database.
func text() *rapid.Generator[string] {
	odd := []rune(" \t-_./\\$%'\"\x00\n\u0301\u0345\u200b\u200d\u202e\u2028ßİıſΣςﬁⅣ½ÅᎠꭰᲐაႠⴀ𝔸🎉👩北한\ufeff\U000e0041")
	r := rapid.OneOf(
		rapid.RuneFrom(odd),
		rapid.RuneFrom(nil, unicode.L, unicode.N, unicode.M),
		rapid.RuneFrom(nil, unicode.Latin, unicode.Greek, unicode.Cyrillic),
		rapid.Rune(),
	)
	return rapid.StringOfN(r, 0, 120, -1)
}

func TestNameProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { checkName(t, text().Draw(t, "name")) })
}

func FuzzParseName(f *testing.F) {
	for _, seed := range []string{"", "Acme", "a/../b", "\x00", "E\u0301", "\u202e", "ᾳ\u0345", "Ꭰ", "\xff", strings.Repeat("é", 101)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) { checkName(t, s) })
}

type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// checkName holds what is true of every text that somebody sends as a name.
func checkName(t failer, s string) {
	t.Helper()
	name, err := ParseName(s)
	if err != nil {
		if !errors.Is(err, app.ErrInvalid) || name != "" {
			t.Fatalf("ParseName(%q) = %q, %v", s, name, err)
		}
		return
	}
	if n := utf8.RuneCountInString(name); n < 1 || n > 100 || !norm.NFC.IsNormalString(name) || strings.TrimSpace(name) != name {
		t.Fatalf("ParseName(%q) = %q", s, name)
	}
	if again, err := ParseName(name); again != name || err != nil {
		t.Fatalf("the name %q parses to %q, %v", name, again, err)
	}
	folded := FoldName(name)
	if again := FoldName(folded); again != folded {
		t.Fatalf("%q folds to %q and that to %q", name, folded, again)
	}
	if folded == "" {
		t.Fatalf("%q folds to nothing", name)
	}
}
