package seal

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"log/slog"
	"strings"
)

// KeySize is the length of a seal key in bytes.
const KeySize = 32

// Key is the installation's seal key. It prints as a placeholder, so that no
// log and no error can show it.
type Key [KeySize]byte

// ParseKey reads a key from 32 bytes in standard base64 (RFC 4648, section 4,
// padded); white space around it is passed over. The error never repeats what
// was read.
func ParseKey(s string) (Key, error) {
	var k Key
	raw, err := base64.StdEncoding.Strict().DecodeString(strings.TrimSpace(s))
	if err != nil {
		return k, fmt.Errorf("not base64; a seal key is %d random bytes in base64, such as `openssl rand -base64 %d` prints",
			KeySize, KeySize)
	}
	if len(raw) != KeySize {
		return k, fmt.Errorf("%d bytes instead of %d; `openssl rand -base64 %d` prints a good one", len(raw), KeySize, KeySize)
	}
	copy(k[:], raw)
	if k == (Key{}) {
		return k, fmt.Errorf("all zeros, which is no secret; `openssl rand -base64 %d` prints a good one", KeySize)
	}
	return k, nil
}

// Derive gives a key of 32 bytes for another purpose (HKDF-SHA256). Who learns
// it learns nothing of the seal key or of what other purposes get.
func (k Key) Derive(purpose string) []byte {
	out, err := hkdf.Key(sha256.New, k[:], nil, "tenantry derived key: "+purpose, sha256.Size)
	if err != nil { // only for lengths that SHA-256 cannot give
		panic(err)
	}
	return out
}

// text is the key as the file and the configuration have it.
func (k Key) text() string { return base64.StdEncoding.EncodeToString(k[:]) }

const placeholder = "[seal key]"

// Format implements fmt.Formatter for every verb.
func (k Key) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(placeholder)) }

// LogValue implements slog.LogValuer.
func (k Key) LogValue() slog.Value { return slog.StringValue(placeholder) }

// MarshalText keeps encoders from writing the key out.
func (k Key) MarshalText() ([]byte, error) { return []byte(placeholder), nil }
