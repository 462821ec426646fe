package tenancy

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"tenantry/app"
)

// maxName is the longest display name, in characters.
const maxName = 100

// ParseName trims a display name and puts it in Unicode normal form C. It
// takes 1 to 100 characters of any script. Control characters are refused, and
// with them line separators and those that turn the direction of what follows:
// a name is shown in terminals and logs beside other text.
// The error is app.FieldErrors at "name".
func ParseName(s string) (string, error) {
	if !utf8.ValidString(s) {
		return "", app.Invalid("name", "invalid_text", "The name is not valid UTF-8.")
	}
	s = norm.NFC.String(strings.TrimSpace(s))
	visible := false
	for _, r := range s {
		if unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp) || turnsDirection(r) {
			return "", app.Invalid("name", "control_character", "The name has a control character. Take it out.")
		}
		visible = visible || unicode.In(r, unicode.L, unicode.N, unicode.P, unicode.S) && !blank(r)
	}
	switch n := utf8.RuneCountInString(s); {
	case n == 0:
		return "", app.Invalid("name", "required", "A name is required: 1 to 100 characters.")
	case n > maxName:
		return "", app.Invalid("name", "too_long", "The name is longer than 100 characters.")
	case !visible:
		return "", app.Invalid("name", "invalid_text", "The name has nothing that can be seen.")
	}
	return s, nil
}

// turnsDirection reports the explicit bidirectional controls of UAX 9.
func turnsDirection(r rune) bool {
	return r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069
}

// blank reports letters and symbols that show nothing: the fillers of Hangul
// and the empty pattern of Braille.
func blank(r rune) bool {
	return unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) || r == 0x2800
}

// FoldName is the form of a name that is searched and sorted: compatibility
// forms and case folded, white space single. Folding twice is folding once.
func FoldName(name string) string {
	folded := strings.Map(foldCherokee, cases.Fold().String(norm.NFKC.String(name)))
	return strings.Join(strings.Fields(norm.NFKC.String(folded)), " ")
}

// foldCherokee folds what cases.Fold leaves of Cherokee, whose small letters
// came so late to Unicode that they fold to the capitals: cases.Fold turns
// either into the other.
func foldCherokee(r rune) rune {
	switch {
	case r >= 0xAB70 && r <= 0xABBF:
		return r - 0xAB70 + 0x13A0
	case r >= 0x13F8 && r <= 0x13FD:
		return r - 8
	}
	return r
}
