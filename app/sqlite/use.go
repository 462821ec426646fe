package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sort"
	"time"

	"tenantry/app"
)

const (
	defaultOpenFiles = 128
	// idleFile is how long a file of one organization is kept open that nobody
	// uses.
	idleFile = 5 * time.Minute
)

// whether says what to do about a file that is not there.
type whether bool

const (
	existing whether = false // there is nothing in it: ErrNotFound
	create   whether = true
)

// use gives f the namespace's file, open until f returns.
func (c *Cluster) use(ctx context.Context, ns app.Namespace, make whether, f func(*shard) error) error {
	if err := checkPlace(ns.Placement); err != nil {
		return err
	}
	return c.useFile(ctx, ns.Placement.Database, make, func(s *shard) error {
		if s.vanished() {
			return app.Lost(fmt.Errorf("the file %s was removed or replaced while it was open", s.name))
		}
		err := f(s)
		if isUnknown(err) && s.without(ctx, ns) {
			return app.Lost(err)
		}
		return err
	})
}

// vanished reports that the file is not the one any more that was opened: what
// is written to that is lost when it is closed.
func (s *shard) vanished() bool {
	now, err := os.Stat(s.path)
	return errors.Is(err, fs.ErrNotExist) || err == nil && s.file != nil && !os.SameFile(s.file, now)
}

// without reports that a namespace is recorded in the file and has no table.
func (s *shard) without(ctx context.Context, ns app.Namespace) bool {
	var there bool
	err := s.db.snapshot(ctx, func(c *conn) error {
		now, err := lookUp(c, ns)
		if err != nil {
			return err
		}
		return c.queryRow(`SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?)`, string(now.name)).Scan(&there)
	})
	return err == nil && !there
}

func (c *Cluster) useFile(ctx context.Context, name string, make whether, f func(*shard) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s := c.hold(name)
	defer c.release(s)
	for {
		s.mu.RLock()
		if s.db != nil {
			break
		}
		s.mu.RUnlock()
		if err := c.open(ctx, s, make); err != nil {
			return err
		}
	}
	defer s.mu.RUnlock()
	return f(s)
}

// hold gives the file of this name, open or not. Until it is released there is
// no other of the name, and it is not closed for want of use.
func (c *Cluster) hold(name string) *shard {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.shards[name]
	if s == nil {
		s = &shard{name: name, path: c.path(name), clock: c.opts.Clock, earlyReads: c.earlyReads, ofOne: parseOrganizationFile(name) == nil}
		c.shards[name] = s
	}
	c.occupy(s)
	return s
}

// occupy counts one more who uses the file. The caller holds c.mu.
func (c *Cluster) occupy(s *shard) {
	s.users++
	if s.idle != nil {
		c.idle.Remove(s.idle)
		s.idle = nil
	}
}

// release ends what hold began.
func (c *Cluster) release(s *shard) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.users--; s.users > 0 || !s.ofOne {
		return
	}
	// Nobody else has it now, so it can be looked at without its lock.
	switch {
	case s.db == nil && s.failed == nil:
		delete(c.shards, s.name)
	case s.db != nil:
		s.used, s.idle = time.Now(), c.idle.PushFront(s)
	}
}

// open opens a file unless it is open.
func (c *Cluster) open(ctx context.Context, s *shard, make whether) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return c.openHeld(ctx, s, make)
}

// openHeld is open for who has s.mu.
func (c *Cluster) openHeld(ctx context.Context, s *shard, make whether) error {
	if s.db != nil {
		return nil
	}
	c.mu.Lock()
	closed := c.closed
	c.mu.Unlock()
	if closed {
		return app.Unavailable("The cluster "+c.name+", which is being closed,", nil)
	}
	if make == existing {
		if _, err := os.Stat(s.path); errors.Is(err, fs.ErrNotExist) {
			s.failed = nil // somebody has taken it away
			return fmt.Errorf("file %s: %w: %w", s.name, app.ErrMoved, app.ErrNotFound)
		}
	}
	if s.ofOne {
		c.makeRoom()
	}
	// The one who happens to come first must not leave it half open by giving up.
	s.failed, s.tried = s.open(context.WithoutCancel(ctx), c.databases), time.Now()
	if s.ofOne && s.failed != nil {
		c.mu.Lock()
		c.opened--
		c.mu.Unlock()
	}
	return s.failed
}

// makeRoom counts one more open file of one organization, and closes the one
// those that are unused for longest where there are enough.
func (c *Cluster) makeRoom() {
	for full := true; full; {
		c.mu.Lock()
		full = c.opened >= c.opts.OpenFiles
		c.mu.Unlock()
		full = full && c.closeIdle(func(*shard) bool { return true })
	}
	c.mu.Lock()
	c.opened++
	c.mu.Unlock()
}

// closeIdle closes the file of one organization that is unused for longest, if
// it is to go, and reports whether it did. Those that are in trouble stay, so
// that Health tells of them.
//
// Whoever comes for it meanwhile waits at its lock, and opens it again.
func (c *Cluster) closeIdle(goes func(*shard) bool) bool {
	c.mu.Lock()
	var s *shard
	for e := c.idle.Back(); e != nil && s == nil; e = e.Prev() {
		candidate, _ := e.Value.(*shard)
		if !goes(candidate) {
			break // the others were used since
		}
		if candidate.db.state.refusal() == nil && !candidate.db.state.troubled() {
			s = candidate
		}
	}
	if s == nil {
		c.mu.Unlock()
		return false
	}
	c.occupy(s)
	c.mu.Unlock()
	defer c.release(s)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := c.closeFile(s); err != nil {
		c.databases.logger.Warn("an unused file was not closed well", "file", s.path, "error", err)
	}
	return true
}

// closeFile closes a file that is open. The caller holds s.mu.
func (c *Cluster) closeFile(s *shard) error {
	if s.db == nil {
		return nil
	}
	err := s.db.close()
	s.db = nil
	if s.ofOne {
		c.mu.Lock()
		c.opened--
		c.mu.Unlock()
	}
	return err
}

// tidy closes what nobody has used for long.
func (c *Cluster) tidy(ctx context.Context) {
	ticker := time.NewTicker(idleFile / 4)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		for c.closeIdle(func(s *shard) bool { return time.Since(s.used) >= idleFile }) {
		}
	}
}

// known lists the files that are open or could not be opened, in order.
func (c *Cluster) known() []*shard {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := make([]*shard, 0, len(c.shards))
	for _, s := range c.shards {
		list = append(list, s)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].name < list[j].name })
	return list
}
