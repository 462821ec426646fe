package identity

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"tenantry/app"
)

// Lengths of RFC 5321, section 4.5.3.1, in bytes of UTF-8. The path of 256
// there counts its angle brackets.
const (
	maxEmail      = 254
	maxEmailLocal = 64
	maxLabel      = 63
)

// ParseEmail gives an address as its owner spelled it and the key by which it
// is unique. The rule:
//
//   - White space around it is dropped, and it is brought to Unicode NFC.
//   - It has exactly one "@". Before it come 1 to 64 bytes, after it a domain;
//     together at most 254 bytes.
//   - It holds no space, no control or invisible character, and none of
//     ( ) < > [ ] , ; : " \ , which only quoted addresses may have; these and
//     address literals are not taken.
//   - Dots do not begin, end or follow each other on either side.
//   - The labels of the domain are letters, digits and hyphens of any script,
//     at most 63, with no hyphen at either end. One label is enough: there are
//     hosts named "mail" in many a house.
//
// The key is the whole address in lower case. That the local part may depend
// on case (RFC 5321, section 2.4) is true of no provider that people use, and
// somebody who types it in another case means the same mailbox. A domain in
// its xn-- form and the same in letters are different keys.
//
// The error is app.FieldErrors at "email".
func ParseEmail(s string) (display, key string, err error) {
	if !utf8.ValidString(s) {
		return "", "", invalidEmail("is not valid UTF-8")
	}
	if len(s) > 4*maxEmail { // normalizing is work
		return "", "", invalidEmail("is longer than 254 bytes")
	}
	display = norm.NFC.String(strings.TrimSpace(s))
	key = norm.NFC.String(strings.ToLower(display))
	local, domain, found := strings.Cut(display, "@")
	switch {
	case display == "":
		return "", "", invalidEmail("is missing")
	case !found || strings.Contains(domain, "@"):
		return "", "", invalidEmail(`needs exactly one "@"`)
	case len(display) > maxEmail || len(key) > maxEmail:
		return "", "", invalidEmail("is longer than 254 bytes")
	case len(local) > maxEmailLocal:
		return "", "", invalidEmail(`has more than 64 bytes before the "@"`)
	}
	for _, r := range display {
		if !unicode.IsGraphic(r) || unicode.IsSpace(r) {
			return "", "", invalidEmail("holds a space, a control or an invisible character")
		}
		if strings.ContainsRune(`()<>[],;:"\`, r) {
			return "", "", invalidEmail("holds a character that addresses cannot have")
		}
	}
	if !dotted(local, func(string) bool { return true }) {
		return "", "", invalidEmail(`has a dot in the wrong place, or nothing, before the "@"`)
	}
	if !dotted(domain, domainLabel) {
		return "", "", invalidEmail(`needs a domain, such as example.com, after the "@"`)
	}
	return display, key, nil
}

// dotted reports whether s is made of non-empty labels that all pass.
func dotted(s string, pass func(string) bool) bool {
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || !pass(label) {
			return false
		}
	}
	return true
}

func domainLabel(label string) bool {
	if utf8.RuneCountInString(label) > maxLabel || label[0] == '-' || label[len(label)-1] == '-' {
		return false
	}
	for _, r := range label {
		if r != '-' && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) {
			return false
		}
	}
	return true
}

func invalidEmail(why string) error {
	return app.Invalid("email", "invalid_email", "The email address "+why+".")
}
