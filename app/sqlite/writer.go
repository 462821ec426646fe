package sqlite

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"tenantry/app"
)

const (
	// groupLimit is how many writes are committed together at most.
	groupLimit = 256
	// queueLimit is how many wait at most.
	queueLimit = 4096
)

// writer is the one goroutine and the one connection that write a file. It
// commits everything that waits as one group: the cost of making a commit
// durable is shared, and grows not with the number of clients.
type writer struct {
	d *database
	c *conn // nil: to be opened again
	// logTried is when the log could last not be cut back.
	logTried time.Time

	mu sync.Mutex
	// waiting is a list and no channel, which would take the room for all that
	// may wait from the start, in every shard.
	waiting []*writeRequest
	closed  bool
	wake    chan struct{} // holds one when something waits or the writer is closed
}

type writeRequest struct {
	ctx  context.Context
	f    func(*conn) error
	err  error
	done chan struct{}
	// begun decides between the writer and a context that ends.
	begun atomic.Bool
}

func newWriter(d *database, c *conn) *writer {
	return &writer{d: d, c: c, wake: make(chan struct{}, 1)}
}

func (w *writer) submit(ctx context.Context, f func(*conn) error) error {
	r := &writeRequest{ctx: ctx, f: f, done: make(chan struct{})}
	if err := w.enqueue(r); err != nil {
		return err
	}
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		if r.begun.CompareAndSwap(false, true) {
			return ctx.Err() // the writer passes it over
		}
		<-r.done
		return r.err
	}
}

func (w *writer) enqueue(r *writeRequest) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return errClosed()
	}
	if len(w.waiting) >= queueLimit {
		return &app.Error{Kind: app.ErrUnavailable, Code: "storage_busy", RetryAfter: time.Second,
			Detail: "Too many writes wait already. Try again in a second."}
	}
	w.waiting = append(w.waiting, r)
	w.awaken()
	return nil
}

// queued is how many writes wait for their turn.
func (w *writer) queued() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.waiting)
}

// awaken tells the writer that there is something for it, unless it has been
// told.
func (w *writer) awaken() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// close ends the writer after what waits.
func (w *writer) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	w.awaken()
}

// next waits for requests and appends a group of them to group, which stays
// empty when the writer is closed and nobody waits.
func (w *writer) next(group []*writeRequest) []*writeRequest {
	for {
		w.mu.Lock()
		n := min(len(w.waiting), groupLimit)
		group = append(group, w.waiting[:n]...)
		w.waiting = slices.Delete(w.waiting, 0, n)
		closed := w.closed
		w.mu.Unlock()
		if n > 0 || closed {
			return group
		}
		<-w.wake
	}
}

func (w *writer) serve() {
	var group []*writeRequest
	for {
		if group = w.next(group[:0]); len(group) == 0 {
			break
		}
		w.write(group)
		clear(group)
		w.boundLog()
	}
	if w.c != nil {
		_ = w.c.run("PRAGMA wal_checkpoint(TRUNCATE)") // for a tidy folder; the log is as good
		_ = w.c.close()
	}
}

// write commits a group and answers everybody in it.
func (w *writer) write(group []*writeRequest) {
	live := begin(group)
	if len(live) == 0 {
		return
	}
	err := w.d.state.refusal() // since they were queued, perhaps
	if err == nil {
		err = w.transaction(live)
	}
	if err != nil && len(live) > 1 && oneMayBeToBlame(err) {
		for _, r := range live {
			r.err = w.transaction([]*writeRequest{r})
		}
		err = nil
	}
	for _, r := range live {
		if err != nil {
			r.err = err
		}
		close(r.done)
	}
}

// begin passes over whoever gave up before this moment. Nobody may give up
// after it.
func begin(group []*writeRequest) []*writeRequest {
	live := group[:0:0]
	for _, r := range group {
		if !r.begun.CompareAndSwap(false, true) {
			continue
		}
		if err := r.ctx.Err(); err != nil {
			r.err = err
			close(r.done)
			continue
		}
		live = append(live, r)
	}
	return live
}

// oneMayBeToBlame: what one of a group did may have been too much for the
// disk, or have broken the transaction. Alone, the others pass.
func oneMayBeToBlame(err error) bool {
	switch faultOf(err) {
	case faultNone, faultFull:
		return true
	case faultBusy, faultIO, faultDamaged: // the next would fare no better
	}
	return false
}

// transaction runs the requests in one transaction. Its error is the group's,
// or that of the only request; otherwise each request's own is in the request.
func (w *writer) transaction(live []*writeRequest) error {
	c, err := w.connection()
	if err != nil {
		return w.failed(nil, fmt.Errorf("open: %w", err))
	}
	if _, err := c.exec("BEGIN IMMEDIATE"); err != nil {
		return w.failed(c, fmt.Errorf("begin: %w", err))
	}
	before := int64(-1)
	if w.d.state.troubled() {
		before = totalChanges(c)
	}
	wrote := false
	for _, r := range live {
		if err := w.step(c, r); err != nil {
			return w.failed(c, err)
		}
		wrote = wrote || r.err == nil
	}
	if !wrote {
		// Everyone was refused.
		if err := c.run("ROLLBACK"); err != nil {
			w.drop()
		}
		return onlyError(live)
	}
	// One that only read needed no room on the disk and proves nothing.
	worked := before >= 0 && totalChanges(c) > before
	if _, err := c.exec("COMMIT"); err != nil {
		return w.failed(c, fmt.Errorf("commit: %w", err))
	}
	if worked {
		w.d.recovered()
	}
	return onlyError(live)
}

func onlyError(live []*writeRequest) error {
	if len(live) == 1 {
		return live[0].err
	}
	return nil
}

func totalChanges(c *conn) (n int64) {
	_ = c.queryRow("SELECT total_changes()").Scan(&n) // never fails; zero says the least
	return n
}

// failed undoes a transaction and leaves a connection that can be trusted with
// the next one.
func (w *writer) failed(c *conn, err error) error {
	switch faultOf(err) {
	case faultFull, faultIO, faultBusy:
		w.d.inTrouble(err)
	case faultNone, faultDamaged:
	}
	switch {
	case c == nil:
	case faultOf(err) == faultIO:
		w.drop() // closing it undoes what was begun
	default:
		// SQLite ends some transactions by itself. Whatever is left of one goes
		// with the connection.
		if c.run("ROLLBACK") != nil && faultOf(err) != faultBusy {
			w.drop()
		}
	}
	return err
}

// step runs one request inside a savepoint, so that its refusal undoes it
// alone. An error is one that ends the whole transaction.
func (w *writer) step(c *conn, r *writeRequest) error {
	if _, err := c.exec("SAVEPOINT request"); err != nil {
		return fmt.Errorf("savepoint: %w", err)
	}
	r.err = call(r.f, c)
	if r.err != nil {
		switch faultOf(r.err) {
		case faultFull, faultIO, faultDamaged, faultBusy:
			return r.err
		case faultNone:
		}
		if _, err := c.exec("ROLLBACK TO request"); err != nil {
			return fmt.Errorf("undo: %w", err)
		}
	}
	if _, err := c.exec("RELEASE request"); err != nil {
		return fmt.Errorf("release: %w", err)
	}
	return nil
}

// call keeps a panic from taking the writer, and with it the server, along.
func call(f func(*conn) error, c *conn) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic while writing: %v\n%s", p, debug.Stack())
		}
	}()
	return f(c)
}

func (w *writer) connection() (*conn, error) {
	if w.c != nil {
		return w.c, nil
	}
	c, err := openConn(context.Background(), w.d.writes, w.d.opts.statements)
	if err == nil {
		w.c = c
	}
	return c, err
}

// drop closes a connection in trouble; the next write opens another.
func (w *writer) drop() {
	if w.c != nil {
		w.c.discard()
		w.c = nil
	}
}
