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
	// firstCheck is when after opening a file is checked: not while whoever
	// starts the server waits for its first answer.
	firstCheck = time.Second
	checkEvery = 24 * time.Hour
	// probeEvery is how often a write that failed for want of room, or because
	// of the disk, is tried again for the sake of readiness alone.
	probeEvery = 2 * time.Second
	// probeBytes is how much such a try writes.
	probeBytes = 64 << 10
)

// fileState is what is known of a file's soundness. A damaged file stays so
// until the server is started again; trouble passes with the next write that
// goes through.
type fileState struct {
	damage  atomic.Pointer[error]
	trouble atomic.Pointer[error]

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

func (s *fileState) troubled() bool { return s.trouble.Load() != nil }

func (s *fileState) probeDue(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Sub(s.probed) < probeEvery {
		return false
	}
	s.probed = now
	return true
}

// damaged marks the file: nothing is written to it any more.
func (d *database) damaged(cause error) error {
	err := errDamaged(d.name, cause)
	if d.state.damage.CompareAndSwap(nil, &err) {
		d.log.Error("a database file is damaged; writing to it has stopped", "file", d.path, "error", cause)
	}
	return err
}

// inTrouble notes that writing failed for a reason that may pass.
func (d *database) inTrouble(cause error) {
	err := translate(cause, d.name)
	if d.state.trouble.Swap(&err) == nil {
		d.log.Error("a database file cannot be written", "file", d.path, "error", cause)
	}
}

// recovered notes that writing works again.
func (d *database) recovered() {
	if d.state.trouble.Swap(nil) != nil {
		d.log.Info("a database file can be written again", "file", d.path)
	}
}

// health says what is wrong with the file, or nil. Where writing failed it is
// tried again now and then, so that it is known when it works again.
func (d *database) health(ctx context.Context) error {
	if d.state.troubled() && d.state.refusal() == nil && d.state.probeDue(time.Now()) {
		_ = d.probe(ctx) // what it found is in the state
	}
	if err := d.state.refusal(); err != nil {
		return err
	}
	if trouble := d.state.trouble.Load(); trouble != nil {
		return *trouble
	}
	return nil
}

// probe writes as much as a busy moment does, and takes it away again.
func (d *database) probe(ctx context.Context) error {
	err := d.write(ctx, func(c *conn) error {
		_, err := c.exec("INSERT OR REPLACE INTO storage_probe (id, filler) VALUES (1, randomblob(?))", probeBytes)
		return err
	})
	if err != nil {
		return err
	}
	return d.write(ctx, func(c *conn) error {
		_, err := c.exec("DELETE FROM storage_probe")
		return err
	})
}

// oneCheck lets one file be checked at a time: a check reads the whole file.
var oneCheck = make(chan struct{}, 1)

// watch checks the file soon after it was opened and every day, so that damage
// is found before a backup of it replaces a good one.
func (d *database) watch(ctx context.Context) {
	for wait := firstCheck; ; wait = checkEvery {
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
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
	db, err := sql.Open("sqlite", dsn(path, true, defaultCacheKiB))
	if err != nil {
		return "", err
	}
	defer func() { _ = db.Close() }()
	if err := db.QueryRowContext(ctx, pragma).Scan(&verdict); err != nil {
		return "", fmt.Errorf("check: %w", err)
	}
	return verdict, nil
}

// Load is what a file's writer has before it.
type Load struct {
	// LogBytes is the size of the write-ahead log; of a cluster, of the largest.
	LogBytes int64
	// Waiting is how many writes wait for their turn.
	Waiting int
}

func (d *database) load() Load {
	return Load{LogBytes: d.logBytes(), Waiting: len(d.writer.queue)}
}
