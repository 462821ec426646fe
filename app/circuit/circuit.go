// Package circuit keeps a store that does not answer from taking with it the
// requests of those that do.
//
// A [Circuit] stands before one store that is reached over a network: a
// cluster, or the registry. [Cluster] and [Registry] put it around every method
// of the ports.
//
//   - Calls wait for a store, since most that do not answer do so again within
//     seconds: a primary is being elected, a switch is restarted. But while none
//     of them is answered, only so many may wait; more are refused at once.
//   - A call that could not reach the store, or a silence that lasts, makes the
//     store be asked. If that is not answered either the circuit is open: every
//     call is refused at once, until the store, which is asked again and again,
//     answers.
//
// So a call alone never opens a circuit, be it slow or unlucky, and no caller's
// request is spent on finding out whether the store is back. The libraries for
// circuit breakers go by counts of failed calls and try again with callers'
// calls, each of which would wait for seconds here; that is why this is none.
package circuit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"tenantry/app"
)

const (
	// mayWait is how many calls wait for a store of which none is answered.
	mayWait = 64
	// patience is how long none need be answered for that.
	patience = time.Second
	// silence is how long none need be answered before the store is asked. What
	// takes a shorter while, as most changes of primary, only takes longer.
	silence = 3 * time.Second
	// askTimeout is how soon a store that works answers.
	askTimeout = 3 * time.Second
	// The store is asked again after askAgain, and then more and more seldom.
	askAgain  = 250 * time.Millisecond
	askSeldom = 2 * time.Second
	// retryAfter is what callers are told.
	retryAfter = 2 * time.Second
)

// Circuit stands before one store.
type Circuit struct {
	// name is the store's in messages, such as `cluster "eu"`.
	name string
	ask  func(context.Context) error
	log  *slog.Logger
	// closed says why the store, though it answers, must not be called, or nil. It
	// may be nil itself.
	closed func() error

	mu sync.Mutex
	// waiting calls are on their way. While there are any, none has been
	// answered since quiet.
	waiting int
	quiet   time.Time
	asking  bool
	// open since, and why; nil while it is closed.
	why   error
	since time.Time

	refused    atomic.Int64
	stop       context.CancelFunc
	running    context.Context //nolint:containedctx // of the asking, which no call outlives
	background sync.WaitGroup
}

// newCircuit makes a closed one. name is the store's for messages; ask is the
// shortest call that shows whether the store works.
func newCircuit(name string, log *slog.Logger, ask func(context.Context) error) *Circuit {
	c := &Circuit{name: name, ask: ask, log: log}
	c.running, c.stop = context.WithCancel(context.Background())
	return c
}

// State is what a circuit does at a moment.
type State struct {
	Open bool
	// Waiting calls are on their way to the store, Refused were not sent to it
	// since the circuit was made.
	Waiting int
	Refused int64
}

// State tells it.
func (c *Circuit) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return State{Open: c.why != nil, Waiting: c.waiting, Refused: c.refused.Load()}
}

// close ends the asking.
func (c *Circuit) close() {
	c.mu.Lock()
	c.stop()
	c.mu.Unlock()
	c.background.Wait()
}

// do makes a call, or refuses to.
func (c *Circuit) do(call func() error) (err error) {
	if err := c.enter(); err != nil {
		c.refused.Add(1)
		return err
	}
	if c.closed != nil {
		if err := c.closed(); err != nil {
			c.leave(err)
			return err
		}
	}
	err = errPanic
	defer func() { c.leave(err) }()
	err = call()
	return err
}

// errPanic stands for what a call that panics would have returned.
var errPanic = errors.New("panic")

// get is do for a call with a result.
func get[T any](c *Circuit, call func() (T, error)) (out T, err error) {
	err = c.do(func() error {
		out, err = call()
		return err
	})
	return out, err
}

func (c *Circuit) enter() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.why != nil {
		return &app.Error{Kind: app.ErrUnavailable, Code: "unavailable", RetryAfter: retryAfter, Cause: c.why,
			Detail: fmt.Sprintf("The %s has not answered since %s. It is asked again every few seconds, and until then nothing waits for it. Try again shortly.",
				c.name, c.since.UTC().Format(time.TimeOnly+" MST"))}
	}
	if c.waiting == 0 {
		c.quiet = time.Now()
	}
	quiet := time.Since(c.quiet)
	if quiet > silence {
		c.watch()
	}
	if c.waiting >= mayWait && quiet > patience {
		return &app.Error{Kind: app.ErrUnavailable, Code: "unavailable", RetryAfter: retryAfter,
			Detail: fmt.Sprintf("The %s does not answer right now, and as many calls wait for it as may. Try again shortly.", c.name)}
	}
	c.waiting++
	return nil
}

func (c *Circuit) leave(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting--
	switch {
	case isUnreachable(err):
		if c.why == nil {
			c.watch()
		}
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, app.ErrInvalid), errors.Is(err, errPanic):
		// It tells nothing of the store.
	default:
		c.quiet = time.Now()
		c.answered()
	}
}

// isUnreachable reports that the store as a whole could not be reached.
func isUnreachable(err error) bool {
	var e *app.UnreachableError
	return errors.As(err, &e)
}

// watch asks the store until it answers, if nobody does so already.
func (c *Circuit) watch() {
	if c.asking || c.running.Err() != nil {
		return
	}
	c.asking = true
	c.background.Go(func() {
		for wait := askAgain; !c.asked(); wait = min(2*wait, askSeldom) {
			select {
			case <-c.running.Done():
			case <-time.After(wait):
			}
		}
	})
}

// asked asks once, and reports whether that is enough.
func (c *Circuit) asked() bool {
	ctx, cancel := context.WithTimeout(c.running, askTimeout)
	defer cancel()
	err := c.ask(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running.Err() == nil && (isUnreachable(err) || errors.Is(err, context.DeadlineExceeded)) {
		if c.why == nil {
			c.why, c.since = err, time.Now()
			c.log.Error("a store does not answer; nothing waits for it until it does", "store", c.name, "error", err)
		}
		return false
	}
	c.answered()
	c.asking = false
	return true
}

// answered closes the circuit.
func (c *Circuit) answered() {
	if c.why == nil {
		return
	}
	c.log.Info("a store answers again", "store", c.name, "away_for", time.Since(c.since).Round(time.Millisecond))
	c.why = nil
}
