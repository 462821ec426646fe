package web

import (
	"context"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"tenantry/app"
)

// call is one request on its way. It is the context that the capabilities
// get, with the request's deadline. Its timer is started only when somebody
// waits for it, since most answers come out of memory.
type call struct {
	deadline time.Time
	mu       sync.Mutex
	done     chan struct{}
	timer    *time.Timer
	err      error

	// fiber is nil when the request is over: who kept the context beyond that
	// must not reach memory that is another request's by then.
	fiber   *fiber.Ctx
	server  *Server
	route   *route
	id      string
	start   time.Time
	actor   app.Actor
	problem *Problem
}

type callKey struct{}

// callOf gives the request that a context came with.
func callOf(ctx context.Context) *call {
	c, _ := ctx.Value(callKey{}).(*call)
	return c
}

// Deadline is when the request times out.
func (c *call) Deadline() (time.Time, bool) { return c.deadline, true }

// Value gives the call itself.
func (c *call) Value(key any) any {
	if _, ok := key.(callKey); ok {
		return c
	}
	return nil
}

// Done is closed at the deadline or the request's end.
func (c *call) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done == nil {
		c.done = make(chan struct{})
		if c.err != nil {
			close(c.done)
		} else {
			c.timer = time.AfterFunc(time.Until(c.deadline), func() { c.end(context.DeadlineExceeded) })
		}
	}
	return c.done
}

// Err says why Done is closed.
func (c *call) Err() error {
	c.mu.Lock()
	err := c.err
	c.mu.Unlock()
	if err == nil && !time.Now().Before(c.deadline) {
		c.end(context.DeadlineExceeded)
		return context.DeadlineExceeded
	}
	return err
}

func (c *call) end(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return
	}
	c.err = err
	if c.timer != nil {
		c.timer.Stop()
	}
	if c.done != nil {
		close(c.done)
	}
}
