package sqlite

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// probeEvery is how often a write that failed for want of room, or because
	// of the disk, is tried again for the sake of readiness alone.
	probeEvery = 2 * time.Second
	// probeBytes is how much such a try writes.
	probeBytes = 64 << 10
)

// fileState is what is known of a file's soundness. A damaged file stays so
// while the server runs, and after it, until a check finds it sound (see
// damage.go); trouble passes with the next write that goes through.
type fileState struct {
	damage  atomic.Pointer[error]
	trouble atomic.Pointer[error]
	// recalled is the damage that was known before the file was opened.
	recalled *error

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
		noteDamage(d.path, cause)
		d.log.Error("a database file is damaged; writing to it has stopped", "file", d.path, "error", cause)
	}
	return err
}

// inTrouble notes that writing failed for a reason that may pass: no room, the
// disk, or some other program that keeps the file locked.
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

// Load is what a file's writer has before it.
type Load struct {
	// LogBytes is the size of the write-ahead log; of a cluster, of the largest.
	LogBytes int64
	// Waiting is how many writes wait for their turn.
	Waiting int
}

func (d *database) load() Load {
	return Load{LogBytes: d.logBytes(), Waiting: d.writer.queued()}
}
