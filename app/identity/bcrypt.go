package identity

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// Hash hashes a password that the policy accepted.
func (h *hasher) Hash(ctx context.Context, password string) (string, error) {
	var hash []byte
	var failed error
	err := h.run(ctx, func() { hash, failed = bcrypt.GenerateFromPassword([]byte(password), h.cost) })
	if err == nil && failed != nil {
		err = fmt.Errorf("hash a password: %w", failed)
	}
	if err != nil {
		return "", err
	}
	return string(hash), nil
}

// Compare reports whether the password is that of the hash. An empty hash is
// nobody's. It takes the time of one hash at the present cost whatever the
// answer, also for nobody and for hashes made when the cost was lower, so that
// time tells nobody who exists.
func (h *hasher) Compare(ctx context.Context, hash, password string) (bool, error) {
	var same bool
	err := h.run(ctx, func() { same = compare(hash, password, h.cost) })
	return err == nil && same, err // an abandoned job still writes same
}

// compare is Compare without the queue.
func compare(hash, password string, cost int) bool {
	return compareWith(bcrypt.CompareHashAndPassword, hash, password, cost)
}

// compareWith is compare with what compares, whose work a test can count.
func compareWith(check func(hash, password []byte) error, hash, password string, cost int) bool {
	given := []byte(password)
	// bcrypt ends a password with NUL and repeats it, so "a" and "a\x00a" are one
	// to it, and it reads 72 bytes. No such password was ever accepted.
	possible := len(given) <= maxPasswordBytes && !strings.Contains(password, "\x00")
	if !possible {
		given = given[:min(len(given), maxPasswordBytes)]
	}
	stored, err := bcrypt.Cost([]byte(hash))
	if err != nil { // nobody's, or not bcrypt
		_ = check(dummyHash(cost), given)
		return false
	}
	same := check([]byte(hash), given) == nil && possible
	if !same {
		// 2^s + 2^s + 2^(s+1) + … + 2^(c-1) = 2^c
		for ; stored < cost; stored++ {
			_ = check(dummyHash(stored), given)
		}
	}
	return same
}

// bcryptAlphabet is that of bcrypt's base64.
const bcryptAlphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// dummyHash is well formed and no password's: a random salt and a random
// digest.
func dummyHash(cost int) []byte {
	var random [53]byte
	_, _ = rand.Read(random[:])
	out := fmt.Appendf(nil, "$2a$%02d$", cost)
	for i, b := range random {
		if i == 21 || i == 52 {
			b = 0 // the last character of each part has bits to spare
		}
		out = append(out, bcryptAlphabet[b&63])
	}
	return out
}

// costOf is a hash's cost, or 0 where it is not bcrypt.
func costOf(hash string) int {
	cost, err := bcrypt.Cost([]byte(hash))
	if err != nil {
		return 0
	}
	return cost
}

// estimateHash guesses how long a hash of this cost takes here from one of the
// lowest, which takes a millisecond.
func estimateHash(cost int) time.Duration {
	begin := time.Now()
	_ = bcrypt.CompareHashAndPassword(dummyHash(minCost), []byte("estimate"))
	return max(time.Since(begin), 100*time.Microsecond) << (cost - minCost)
}
