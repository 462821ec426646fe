package web

import (
	"crypto/rand"
	"encoding/hex"
	"strconv"
	"sync/atomic"
)

const requestIDHeader = "X-Request-Id"

// maxRequestID is the longest id of a client's that is taken over.
const maxRequestID = 128

// requestIDs makes ids that no other start of the server makes.
type requestIDs struct {
	prefix string
	next   atomic.Uint64
}

func newRequestIDs() *requestIDs {
	var random [8]byte
	_, _ = rand.Read(random[:])
	return &requestIDs{prefix: hex.EncodeToString(random[:]) + "-"}
}

// of takes over the client's id where it is one that can stand in a log, and
// makes one otherwise.
func (r *requestIDs) of(header []byte) string {
	if saneRequestID(header) {
		return string(header)
	}
	b := make([]byte, 0, 32)
	b = append(b, r.prefix...)
	b = strconv.AppendUint(b, r.next.Add(1), 36)
	return string(b)
}

func saneRequestID(id []byte) bool {
	if len(id) == 0 || len(id) > maxRequestID {
		return false
	}
	for _, c := range id {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case c == '-', c == '_', c == '.', c == ':', c == '/', c == '+', c == '=', c == '@', c == '~':
		default:
			return false
		}
	}
	return true
}
