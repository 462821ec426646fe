package web

import (
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
)

// gate is a listener that can be closed without losing who knocked already.
type gate struct {
	net.Listener
	log *slog.Logger
	// operator: whoever connects here is the operator.
	operator bool

	mu     sync.Mutex
	closed bool
	queue  []net.Conn // accepted while closing
}

// socketConn is a connection through a listener of ServeSocket. There is no
// other way to make one, so nothing that is sent over TCP can pass for it.
type socketConn struct{ net.Conn }

// overSocket reports whether a request came through ServeSocket.
func overSocket(f *fiber.Ctx) bool {
	_, ok := f.Context().Conn().(*socketConn)
	return ok
}

// Accept gives the next connection. It outlives a lack of file descriptors.
func (g *gate) Accept() (net.Conn, error) {
	pause := 5 * time.Millisecond
	for {
		conn, err := g.Listener.Accept()
		if err == nil {
			return g.mark(conn), nil
		}
		if conn, closed := g.next(); closed {
			if conn != nil {
				return g.mark(conn), nil
			}
			return nil, net.ErrClosed
		}
		if errors.Is(err, net.ErrClosed) {
			return nil, err
		}
		g.log.Warn("a connection could not be accepted", "error", err, "retry_in", pause.String())
		time.Sleep(pause)
		pause = min(2*pause, time.Second)
	}
}

func (g *gate) mark(conn net.Conn) net.Conn {
	if g.operator {
		return &socketConn{conn}
	}
	return conn
}

func (g *gate) next() (conn net.Conn, closed bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.queue) > 0 {
		conn, g.queue = g.queue[0], g.queue[1:]
	}
	return conn, g.closed
}

// Close accepts whom the kernel has let in already, then closes. A second
// call does nothing.
func (g *gate) Close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil
	}
	g.closed = true
	g.queue = acceptWaiting(g.Listener)
	return g.Listener.Close()
}
