package tenancy

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"

	"github.com/mozillazg/go-unidecode"

	"tenantry/app"
)

const (
	minSlug = 2
	// maxSlug is the longest label of a domain name (RFC 1035), so that a slug
	// can be one.
	maxSlug = 63
)

// reserved are slugs that would stand in for a route, a role or a thing of the
// program's own.
var reserved = map[string]bool{
	"account": true, "accounts": true, "admin": true, "administrator": true, "api": true,
	"audit": true, "auth": true, "cluster": true, "clusters": true, "default": true,
	"docs": true, "health": true, "healthz": true, "invitations": true, "login": true,
	"logout": true, "me": true, "metrics": true, "none": true, "null": true, "openapi": true,
	"operation": true, "operations": true, "operator": true, "operator-keys": true,
	"operators": true, "org": true, "organization": true, "organizations": true, "orgs": true,
	"owner": true, "readyz": true, "registry": true, "root": true, "signup": true,
	"static": true, "support": true, "system": true, "tenantry": true, "undefined": true,
	"v1": true, "v2": true, "well-known": true, "www": true,
}

// Slugify makes the slug of a display name: lower-case ASCII letters, digits
// and hyphens, other scripts transliterated. The same name, in whichever case,
// always has the same slug, so that an organization can be looked up by its
// name. Where fewer than two characters are left a hash of the name stands in,
// and where it would be too long a hash of the whole ends it, so that two long
// names do not collide. Names with one slug are one name.
// The error is app.FieldErrors at "name".
func Slugify(name string) (string, error) {
	folded := FoldName(name)
	slug := hyphenate(transliterate(folded))
	switch {
	case len(slug) < minSlug:
		slug = "org-" + shortHash(folded, 10)
	case len(slug) > maxSlug:
		const keep = maxSlug - 9
		// Of the slug and not of the name, so that punctuation counts no more
		// in a long name than it does in a short one.
		slug = strings.TrimRight(slug[:keep], "-") + "-" + shortHash(slug, 8)
	}
	if reserved[slug] || app.IsID(slug) {
		return "", app.Invalid("name", "organization_name_reserved", "This name is reserved. Choose another.")
	}
	return slug, nil
}

// ParseSlug accepts a slug that somebody chose.
// The error is app.FieldErrors at "slug".
func ParseSlug(s string) (string, error) {
	if len(s) < minSlug || len(s) > maxSlug || s != hyphenate(s) {
		return "", app.Invalid("slug", "invalid_slug",
			"A slug is 2 to 63 lower-case ASCII letters, digits and single hyphens, with none at its ends.")
	}
	if reserved[s] || app.IsID(s) {
		return "", app.Invalid("slug", "organization_name_reserved", "This slug is reserved. Choose another.")
	}
	return s, nil
}

// transliterate writes a folded text in ASCII. Of some scripts the tables know
// the capitals alone.
func transliterate(folded string) string {
	var b strings.Builder
	for _, r := range folded {
		ascii := unidecode.Unidecode(string(r))
		if ascii == "" {
			ascii = unidecode.Unidecode(string(unicode.ToUpper(r)))
		}
		b.WriteString(ascii)
	}
	return b.String()
}

// hyphenate lowers ASCII letters and writes each run of anything else as one
// hyphen, with none at the ends.
func hyphenate(s string) string {
	var b strings.Builder
	gap := false
	for i := range len(s) {
		c := s[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			gap = true
			continue
		}
		if gap && b.Len() > 0 {
			b.WriteByte('-')
		}
		gap = false
		b.WriteByte(c)
	}
	return b.String()
}

func shortHash(s string, digits int) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])[:digits]
}
