package web

import (
	"io"
	"net"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
)

const (
	// lingerFor and lingerBytes bound what is read of a refused request: who
	// sends on for longer sees the connection reset.
	lingerFor   = 5 * time.Second
	lingerBytes = 64 << 20
)

// conn is an accepted connection.
type conn struct {
	net.Conn
	// operator: it came through ServeSocket. Nothing else sets it, so nothing
	// that is sent over TCP can pass for it.
	operator bool
	// unread: a request was answered before all of it was read.
	unread atomic.Bool
}

// overSocket reports whether a request came through ServeSocket.
func overSocket(f *fiber.Ctx) bool {
	c, ok := f.Context().Conn().(*conn)
	return ok && c.operator
}

// leaveUnread says that a request is answered before all of it was read.
func leaveUnread(f *fiber.Ctx) {
	if c, ok := f.Context().Conn().(*conn); ok {
		c.unread.Store(true)
	}
}

// Close closes it. Where a request was left unread it is closed for writing
// only, until the client has sent all, has closed it, or a while has passed: TCP
// resets a connection that is closed while something is unread, and with that
// the client may lose the answer that says why (RFC 9112, 9.6).
func (c *conn) Close() error {
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok || !c.unread.Swap(false) || half.CloseWrite() != nil {
		return c.Conn.Close()
	}
	_ = c.SetReadDeadline(time.Now().Add(lingerFor))
	go func() {
		_, _ = io.CopyN(io.Discard, c.Conn, lingerBytes)
		_ = c.Conn.Close()
	}()
	return nil
}
