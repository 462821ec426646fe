package sqlite

import (
	"context"
	"database/sql"
	"time"

	"tenantry/app"
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
}

type idleEntry struct {
	c     *conn
	since time.Time
}

func openReaders(path string) (*readers, error) {
	db, err := sql.Open("sqlite", dsn(path, true))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(maxReaders)
	r := &readers{
		db: db, slots: make(chan struct{}, maxReaders), idle: make(chan idleEntry, maxReaders),
		done: make(chan struct{}),
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
	case e := <-r.idle:
		return e.c, nil
	default:
	}
	select {
	case e := <-r.idle:
		return e.c, nil
	case r.slots <- struct{}{}:
	case <-r.done:
		return nil, app.Unavailable("The database, which is being closed,", nil)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	// Opening is not interrupted either.
	c, err := openConn(context.WithoutCancel(ctx), r.db)
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
	select {
	case <-r.done:
		r.discard(c)
	case r.idle <- idleEntry{c, time.Now()}:
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
		for range len(r.idle) {
			select {
			case e := <-r.idle:
				if time.Since(e.since) < idleReader {
					r.idle <- e // there is room: it came from there
				} else {
					r.discard(e.c)
				}
			default:
			}
		}
	}
}

func (r *readers) close() {
	close(r.done)
	for {
		select {
		case e := <-r.idle:
			r.discard(e.c)
			continue
		default:
		}
		break
	}
	_ = r.db.Close()
}
