package identity

import (
	"context"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"tenantry/app"
)

// The bounds of a password. bcrypt reads 72 bytes and no more, so more are
// refused instead of being ignored.
const (
	minPasswordCharacters = 8
	maxPasswordBytes      = 72
)

// minContextual keeps one or two letters that happen to be an organization's
// name from ruling out passwords made of digits.
const minContextual = 3

// NewPassword checks a password that somebody chose and hashes it. It needs 8
// characters or more, at most 72 bytes of UTF-8 in Unicode NFC, and must not
// be a common one, nor, ignoring case, punctuation and the digits around it,
// one of contextual: the email address (its part before the "@" goes with it),
// the name and slug of the organization, or this program's name.
//
// The error is app.FieldErrors at "password" with the codes
// password_too_short, password_too_long, password_invalid, password_common and
// password_contextual, or sign_in_busy as with [Service.Login].
func (s *Service) NewPassword(ctx context.Context, password string, contextual ...string) (hash string, err error) {
	if err := CheckPassword(password, contextual...); err != nil {
		return "", err
	}
	return s.hasher.Hash(ctx, normalPassword(password))
}

// CheckPassword is the rule of [Service.NewPassword], for who asks before
// anything is sent.
func CheckPassword(password string, contextual ...string) error {
	if !utf8.ValidString(password) || strings.ContainsRune(password, 0) {
		return app.Invalid("password", "password_invalid", "A password is text in UTF-8 without the character NUL.")
	}
	if len(password) > 16*maxPasswordBytes { // normalizing is work
		return errPasswordTooLong()
	}
	password = normalPassword(password)
	switch {
	case utf8.RuneCountInString(password) < minPasswordCharacters:
		return app.Invalid("password", "password_too_short",
			fmt.Sprintf("A password needs at least %d characters.", minPasswordCharacters))
	case len(password) > maxPasswordBytes:
		return errPasswordTooLong()
	case common.contains(strings.ToLower(password)):
		return app.Invalid("password", "password_common",
			"This password is among the most common ones, which are tried first. Choose another.")
	case contextualPassword(password, append([]string{"tenantry"}, contextual...)):
		return app.Invalid("password", "password_contextual",
			"This password is too close to the email address or the organization's name. Choose another.")
	}
	return nil
}

func errPasswordTooLong() error {
	return app.Invalid("password", "password_too_long",
		fmt.Sprintf("A password has at most %d bytes (characters outside ASCII take two to four).", maxPasswordBytes))
}

// normalPassword makes one password of the ways in which keyboards compose
// the same characters (RFC 8265, section 4.2).
func normalPassword(password string) string { return norm.NFC.String(password) }

func contextualPassword(password string, contextual []string) bool {
	folded := foldContextual(password)
	core := trimDigits(folded)
	for _, c := range contextual {
		words := []string{c}
		if local, _, ok := strings.Cut(c, "@"); ok {
			words = append(words, local)
		}
		for _, w := range words {
			w = foldContextual(w)
			if w != "" && w == folded {
				return true
			}
			if w = trimDigits(w); utf8.RuneCountInString(w) >= minContextual && w == core {
				return true
			}
		}
	}
	return false
}

// foldContextual keeps letters and digits, in lower case and without the
// variants that NFKC removes.
func foldContextual(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, norm.NFKC.String(s))
}

func trimDigits(s string) string { return strings.TrimFunc(s, unicode.IsDigit) }
