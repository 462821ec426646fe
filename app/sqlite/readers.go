package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// idleReader is how long a connection that reads is kept unused. Each holds
// the file's whole schema in memory.
const idleReader = 30 * time.Second

// readers are the connections that read one file, opened as they are needed.
type readers struct {
	db    *sql.DB
	slots chan struct{}  // one for each connection that may be open
	idle  chan idleEntry // the open ones that nobody uses
	done  chan struct{}
	// statements is how many each connection keeps prepared.
	statements int
}

type idleEntry struct {
	c     *conn
	since time.Time
}

func openReaders(path string, opts databaseOptions) (*readers, error) {
	db, err := sql.Open("sqlite", dsn(path, true, min(opts.cacheKiB, readerCacheKiB)))
	if err != nil {
		return nil, err
	}
	r := &readers{
		db: db, slots: make(chan struct{}, opts.readers), idle: make(chan idleEntry, opts.readers),
		done: make(chan struct{}), statements: opts.statements,
	}
	db.SetMaxIdleConns(0) // ours are kept in idle
	go r.expire()
	return r, nil
}

// take waits for a connection.
func (r *readers) take(ctx context.Context) (*conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case <-r.done:
		return nil, errClosed()
	default:
	}
	select {
	case e := <-r.idle:
		return e.c, nil
	default:
	}
	select {
	case e := <-r.idle:
		return e.c, nil
	case r.slots <- struct{}{}:
	case <-r.done:
		return nil, errClosed()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	// Opening is not interrupted either.
	c, err := openConn(context.WithoutCancel(ctx), r.db, r.statements)
	if err != nil {
		<-r.slots
	}
	return c, err
}

// give returns a connection after err. One that may be in trouble is closed.
func (r *readers) give(c *conn, err error) {
	switch faultOf(err) {
	case faultIO, faultDamaged:
		r.discard(c)
		return
	case faultNone, faultBusy, faultFull:
	}
	if errors.Is(err, errBadConn) {
		r.discard(c)
		return
	}
	r.keep(idleEntry{c, time.Now()})
}

func (r *readers) keep(e idleEntry) {
	r.idle <- e // there is room: one for each slot
	select {
	case <-r.done:
		r.empty() // close may have done so before
	default:
	}
}

func (r *readers) discard(c *conn) {
	_ = c.close()
	<-r.slots
}

func (r *readers) expire() {
	ticker := time.NewTicker(idleReader / 2)
	defer ticker.Stop()
	for {
		select {
		case <-r.done:
			return
		case <-ticker.C:
		}
		r.closeIdle(time.Now())
	}
}

// closeIdle closes those that nobody has used for long.
func (r *readers) closeIdle(now time.Time) {
	for range len(r.idle) {
		select {
		case e := <-r.idle:
			if now.Sub(e.since) < idleReader {
				r.keep(e)
			} else {
				r.discard(e.c)
			}
		default:
		}
	}
}

// close closes those that nobody uses; the others follow when they are given
// back.
func (r *readers) close() {
	close(r.done)
	r.empty()
	_ = r.db.Close()
}

func (r *readers) empty() {
	for {
		select {
		case e := <-r.idle:
			r.discard(e.c)
		default:
			return
		}
	}
}
