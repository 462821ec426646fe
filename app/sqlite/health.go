package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

const (
	checkEvery = 24 * time.Hour
	// probeEvery is how often a full disk is tried again for the sake of
	// readiness alone.
	probeEvery = 2 * time.Second
)

// fileState is what is known of a file's soundness.
type fileState struct {
	damage atomic.Pointer[error]
	full   atomic.Pointer[error]

	mu     sync.Mutex
	probed time.Time
}

// refusal is why nothing may be written, or nil.
func (s *fileState) refusal() error {
	if err := s.damage.Load(); err != nil {
		return *err
	}
	return nil
}

// setDamaged reports whether it is news.
func (s *fileState) setDamaged(err error) bool { return s.damage.CompareAndSwap(nil, &err) }

func (s *fileState) setFull(err error) { s.full.Store(&err) }

// wrote says that a write went through: there is room.
func (s *fileState) wrote() {
	if s.full.Load() != nil {
		s.full.Store(nil)
	}
}

func (s *fileState) probeDue(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Sub(s.probed) < probeEvery {
		return false
	}
	s.probed = now
	return true
}

// health says what is wrong with the file, or nil. Where the disk was full it
// tries a write now and then, so that it is known when there is room again.
func (d *database) health(ctx context.Context) error {
	if err := d.state.refusal(); err != nil {
		return err
	}
	full := d.state.full.Load()
	if full == nil {
		return nil
	}
	if d.state.probeDue(time.Now()) {
		err := d.write(ctx, func(c *conn) error {
			_, err := c.exec("UPDATE schema_history SET version = version")
			return err
		})
		if err == nil {
			return nil
		}
	}
	if full = d.state.full.Load(); full != nil {
		return *full
	}
	return d.state.refusal()
}

// oneCheck lets one file be checked at a time: a check reads the whole file.
var oneCheck = make(chan struct{}, 1)

// watch checks the file soon after it was opened and every day, so that damage
// is found before a backup of it replaces a good one.
func (d *database) watch(ctx context.Context) {
	for {
		select {
		case oneCheck <- struct{}{}:
		case <-ctx.Done():
			return
		}
		err := d.check(ctx)
		<-oneCheck
		if err != nil && ctx.Err() == nil {
			d.log.Warn("a database file could not be checked", "file", d.path, "error", err)
		}
		select {
		case <-time.After(checkEvery):
		case <-ctx.Done():
			return
		}
	}
}

// check reads the whole file on a connection of its own, which the context may
// interrupt, and marks it where it is not sound.
func (d *database) check(ctx context.Context) error {
	pragma := "PRAGMA quick_check(1)"
	if d.opts.fullCheck {
		pragma = "PRAGMA integrity_check(1)"
	}
	verdict, err := checkFile(ctx, d.path, pragma)
	switch {
	case err != nil && faultOf(err) == faultDamaged:
		_ = d.damaged(err)
		return nil
	case err != nil:
		return err
	case verdict != "ok":
		_ = d.damaged(errors.New(verdict))
	}
	return nil
}

func checkFile(ctx context.Context, path, pragma string) (verdict string, err error) {
	db, err := sql.Open("sqlite", dsn(path, true))
	if err != nil {
		return "", err
	}
	defer func() { _ = db.Close() }()
	if err := db.QueryRowContext(ctx, pragma).Scan(&verdict); err != nil {
		return "", fmt.Errorf("check: %w", err)
	}
	return verdict, nil
}
