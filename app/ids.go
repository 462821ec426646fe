package app

import (
	"fmt"

	"github.com/google/uuid"
)

// Identifiers are UUIDv7 (RFC 9562) in their canonical lower-case text form.
// Each noun has a type of its own, so that two ids cannot be swapped.
type (
	// OrganizationID names an organization for ever; a slug does only for now.
	OrganizationID string
	// UserID names a user.
	UserID string
	// SessionID names a sign-in.
	SessionID string
	// OperatorKeyID names an operator key; it is not the key.
	OperatorKeyID string
	// OperationID names an operation of the journal.
	OperationID string
)

// DocumentID is a caller's own id or a UUIDv7; see [ParseDocumentID].
type DocumentID string

// maxDocumentID is the longest id a caller may choose, in characters.
const maxDocumentID = 128

// NewID makes an id that sorts after every other this process made, also when
// the clock was set back meanwhile.
func NewID[T ~string]() T {
	return T(uuid.Must(uuid.NewV7()).String())
}

// ParseID accepts the canonical text form of a UUID and nothing else, so that
// one thing has one id. The error is ErrInvalid.
func ParseID[T ~string](s string) (T, error) {
	if !IsID(s) {
		return "", fmt.Errorf("%q is not a UUID: %w", truncate(s, 40), ErrInvalid)
	}
	return T(s), nil
}

// IsID reports whether s is a UUID in canonical lower-case form.
func IsID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
				return false
			}
		}
	}
	return true
}

// ParseDocumentID accepts 1 to 128 of letters, digits, '-', '_', '.', '~': the
// unreserved characters of RFC 3986, so that an id needs no escaping in a URL.
// "." and ".." are refused, since URL libraries resolve them away.
func ParseDocumentID(s string) (DocumentID, error) {
	if s == "" || len(s) > maxDocumentID || s == "." || s == ".." {
		return "", Invalid("id", "invalid_document_id", documentIDRule)
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case c == '-', c == '_', c == '.', c == '~':
		default:
			return "", Invalid("id", "invalid_document_id", documentIDRule)
		}
	}
	return DocumentID(s), nil
}

const documentIDRule = `A document id is 1 to 128 letters, digits, "-", "_", "." or "~", and not "." or "..".`

func truncate(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return s[:n] + "…"
}
