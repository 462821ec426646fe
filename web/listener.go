package web

import (
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"
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

// Accept gives the next connection. It outlives a lack of file descriptors.
func (g *gate) Accept() (net.Conn, error) {
	pause := 5 * time.Millisecond
	for {
		accepted, err := g.Listener.Accept()
		if err == nil {
			return g.wrap(accepted), nil
		}
		if waiting, closed := g.next(); closed {
			if waiting != nil {
				return g.wrap(waiting), nil
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

func (g *gate) wrap(c net.Conn) net.Conn { return &conn{Conn: c, operator: g.operator} }

func (g *gate) next() (waiting net.Conn, closed bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.queue) > 0 {
		waiting, g.queue = g.queue[0], g.queue[1:]
	}
	return waiting, g.closed
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
