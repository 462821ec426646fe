package seal

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"

	"golang.org/x/crypto/chacha20poly1305"
)

var (
	// ErrOtherKey: the value was sealed with another seal key.
	ErrOtherKey = errors.New("sealed with another seal key")
	// ErrDamaged: the value is not what was sealed, or not under this context.
	ErrDamaged = errors.New("damaged, or sealed for something else")
)

const (
	version   = 1
	idSize    = 8
	headSize  = 1 + idSize
	nonceSize = chacha20poly1305.NonceSizeX
	overhead  = headSize + nonceSize + chacha20poly1305.Overhead
)

// Seal encrypts a secret for the context, which [Key.Open] must be given too.
func (k Key) Seal(secret []byte, context string) ([]byte, error) {
	aead, err := chacha20poly1305.NewX(k[:])
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	out := make([]byte, headSize+nonceSize, overhead+len(secret))
	out[0] = version
	id := k.id()
	copy(out[1:], id[:])
	nonce := out[headSize:]
	_, _ = rand.Read(nonce) // never fails: crypto/rand ends the program instead
	return aead.Seal(out, nonce, secret, associated(out[:headSize], context)), nil
}

// Open gives the secret back. The error is ErrOtherKey or ErrDamaged.
func (k Key) Open(sealed []byte, context string) ([]byte, error) {
	if len(sealed) < overhead {
		return nil, fmt.Errorf("%w: %d bytes are too few", ErrDamaged, len(sealed))
	}
	if sealed[0] != version {
		return nil, fmt.Errorf("%w: version %d is unknown", ErrDamaged, sealed[0])
	}
	if [idSize]byte(sealed[1:headSize]) != k.id() {
		return nil, ErrOtherKey
	}
	aead, err := chacha20poly1305.NewX(k[:])
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	head, rest := sealed[:headSize], sealed[headSize:]
	secret, err := aead.Open(nil, rest[:nonceSize], rest[nonceSize:], associated(head, context))
	if err != nil {
		return nil, ErrDamaged
	}
	return secret, nil
}

// id names the key without telling anything about it: the key is 256 random
// bits, so 64 bits of a hash of it cannot be searched for.
func (k Key) id() [idSize]byte {
	sum := sha256.Sum256(append([]byte("tenantry seal key id\x00"), k[:]...))
	return [idSize]byte(sum[:idSize])
}

// associated is what is authenticated beside the secret. The head has one
// length, so head and context cannot be taken for another pair.
func associated(head []byte, context string) []byte {
	return append(append(make([]byte, 0, len(head)+len(context)), head...), context...)
}
