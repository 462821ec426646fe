package sqlite

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"tenantry/app"
)

const (
	defaultShards = 64
	// maxShards is how many there are at most: every open one holds three files
	// and its own schema in memory.
	maxShards = 1024
	// fullShard is how many tables a file has when new organizations go to
	// another. SQLite looks at each of them whenever one is made: with 1,500, that
	// takes as long as all the rest of creating an organization.
	fullShard = 800

	// A shard is one of many: with what a registry takes for itself, 64 of them
	// would fill 250 MB. What they have no room for stays in the system's own
	// cache of files.
	shardReaders    = 2
	shardCacheKiB   = 128
	shardStatements = 32
)

// ClusterOptions are how a cluster is kept.
type ClusterOptions struct {
	// Shards is over how many files new organizations are spread; zero is 64. As
	// many more follow when these are full. Changing it leaves those that exist
	// where they are.
	Shards int
	// OpenFiles is how many files of one organization each are kept open at most
	// beside those in use; zero is 128. Each holds about seven descriptors and
	// 0.3 MB.
	OpenFiles int
	// Backups is the folder for backups before a migration.
	Backups string
	// Version is the program's, recorded with every migration.
	Version string
	Logger  *slog.Logger // nil: discarded
	Clock   app.Clock    // nil: app.Now
}

// Cluster keeps tenant data in a directory of SQLite files. Most are shards,
// each of many organizations, with a table for each of them or one that they
// share; the others are of one organization each. It is an app.Cluster.
//
// A file is opened when an organization in it is first used: with a table for
// each of 10,000 organizations, opening all of them would take a second and
// the memory of all their schemas.
type Cluster struct {
	name      string
	dir       string
	opts      ClusterOptions
	databases databaseOptions
	// earlyReads is how many reads go through the writer after a change of a
	// schema with so many tables; see shard.read.
	earlyReads func(tables int64) int64
	// full is how many tables a shard has that takes no more organizations.
	full int64

	mu     sync.Mutex
	shards map[string]*shard // those that somebody uses or that are open
	idle   list.List         // of the *shard of one organization that nobody uses, used last first
	opened int               // how many of one organization are open
	closed bool
	stop   context.CancelFunc // ends what runs in the background
	tidied sync.WaitGroup
}

var _ app.Cluster = (*Cluster)(nil)

// OpenCluster opens the cluster of this name in a directory, which it makes
// where there is none. The directory is in a data folder that the caller holds
// (see OpenFolder).
func OpenCluster(ctx context.Context, dir, name string, opts ClusterOptions) (*Cluster, error) {
	if opts.Shards == 0 {
		opts.Shards = defaultShards
	}
	if opts.Shards < 1 || opts.Shards > maxShards {
		return nil, fmt.Errorf("cluster %s: %d shards; it takes 1 to %d: %w", name, opts.Shards, maxShards, app.ErrInvalid)
	}
	if opts.OpenFiles == 0 {
		opts.OpenFiles = defaultOpenFiles
	}
	if opts.Clock == nil {
		opts.Clock = app.Now
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	schema, err := loadSchema("shard")
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, fmt.Errorf("cluster %s: %w", name, err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, notWritable(dir, err)
	}
	c := &Cluster{
		name: name, dir: dir, opts: opts, shards: make(map[string]*shard), earlyReads: earlyReads, full: fullShard,
		databases: databaseOptions{
			schema: schema, backups: opts.Backups, appVersion: opts.Version,
			logger: opts.Logger.With("cluster", name), clock: opts.Clock,
			readers: shardReaders, cacheKiB: shardCacheKiB, statements: shardStatements, verify: verifyDocuments,
		},
	}
	if err := c.look(ctx); err != nil {
		return nil, fmt.Errorf("cluster %s: %w", name, errors.Join(err, c.Close()))
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	c.stop = stop
	c.tidied.Go(func() {
		c.recall(running)
		c.tidy(running)
	})
	return c, nil
}

// look refuses shards that a newer version wrote, and opens those that are
// known to be damaged, so that Health tells of them.
//
// Shards are asked for by name: beside them there may be 100,000 files of one
// organization each, which no start must wait for.
func (c *Cluster) look(ctx context.Context) error {
	for n := range maxShards {
		name := shardName(n)
		path := c.path(name)
		if _, err := os.Stat(path); err != nil {
			continue
		}
		isNewer := headerVersion(path) > len(c.databases.schema.migrations)
		if _, err := os.Stat(path + damageSuffix); err != nil && !isNewer {
			continue
		}
		var newer *NewerError
		if err := c.useFile(ctx, name, existing, func(*shard) error { return nil }); errors.As(err, &newer) {
			return newer
		}
	}
	return nil
}

// recall opens the files of one organization that are known to be damaged, so
// that Health tells of them.
func (c *Cluster) recall(ctx context.Context) {
	_, damaged, err := c.files()
	if err != nil {
		c.databases.logger.Warn("files that were damaged before were not looked for", "folder", c.dir, "error", err)
	}
	for name := range damaged {
		if parseOrganizationFile(name) == nil && ctx.Err() == nil {
			// What is wrong is remembered with the file.
			_ = c.useFile(ctx, name, existing, func(*shard) error { return nil })
		}
	}
}

// isolations are those that namespaces can have here.
var isolations = []app.Isolation{app.IsolationCollection, app.IsolationShared, app.IsolationDatabase}

// Locate names the file and the table of a new organization. See app.Cluster.
func (c *Cluster) Locate(org app.OrganizationID, slug string, isolation app.Isolation) (app.Placement, error) {
	p := app.Placement{
		Cluster: c.name, Isolation: isolation, Database: organizationFile(org),
		Collection: app.CollectionIn(isolation, slug), Generation: 1,
	}
	if isolation != app.IsolationDatabase {
		p.Database = shardName(shardOf(org, c.opts.Shards))
	}
	if _, err := c.check(app.Namespace{Organization: org, Placement: p}); err != nil {
		return app.Placement{}, err
	}
	if isolation == app.IsolationCollection {
		p.Database = c.roomFor(org)
	}
	return p, nil
}

// roomFor names the shard of a new organization: the one that the hash of its
// id gives, or, where that is full, the one as many shards further on as the
// cluster is spread over, and so on. The answer is recorded in the placement,
// so all of this concerns only organizations to come.
func (c *Cluster) roomFor(org app.OrganizationID) string {
	for n := shardOf(org, c.opts.Shards); ; n += c.opts.Shards {
		if n+c.opts.Shards >= maxShards || c.tables(shardName(n)) < c.full {
			return shardName(n)
		}
	}
}

// tables is about how many tables a shard has; none where it has no file, or
// cannot be opened, which Provision will say.
func (c *Cluster) tables(name string) (n int64) {
	_ = c.useFile(context.Background(), name, existing, func(s *shard) error {
		n = s.tables.Load()
		return nil
	})
	return n
}

// check refuses what cannot be a namespace here.
func (c *Cluster) check(ns app.Namespace) (table, error) {
	if err := checkPlace(ns.Placement); err != nil {
		return table{}, err
	}
	if _, err := index(ns.Organization); err != nil {
		return table{}, err
	}
	if ns.Placement.Isolation == app.IsolationDatabase && ns.Placement.Database != organizationFile(ns.Organization) {
		return table{}, errFile()
	}
	return parseTable(ns.Placement.Isolation, ns.Placement.Collection)
}

// checkPlace refuses a file that no namespace of the isolation can be in: the
// name of a placement's database becomes the name of a file.
func checkPlace(p app.Placement) error {
	switch p.Isolation {
	case app.IsolationCollection, app.IsolationShared:
		return parseShard(p.Database)
	case app.IsolationDatabase:
		return parseOrganizationFile(p.Database)
	}
	return app.Invalid("isolation", "invalid_isolation", `The isolation is "collection", "shared" or "database".`)
}

// Health says what is wrong with the files that are open or cannot be opened:
// with the first one that is damaged or away, or else the first one without
// room. See app.Registry.
func (c *Cluster) Health(ctx context.Context) error {
	var worst error
	for _, s := range c.known() {
		if err := c.health(ctx, s); err != nil && (worst == nil || errors.Is(err, app.ErrUnavailable) && !errors.Is(worst, app.ErrUnavailable)) {
			worst = err
		}
	}
	return worst
}

func (c *Cluster) health(ctx context.Context, s *shard) error {
	s.mu.RLock()
	db, failed, again := s.db, s.failed, time.Since(s.tried) >= probeEvery
	if db != nil {
		defer s.mu.RUnlock()
		return db.health(ctx)
	}
	s.mu.RUnlock()
	if failed == nil || !again {
		return failed
	}
	// Nobody else may use it for long.
	err := c.useFile(ctx, s.name, existing, func(s *shard) error { return s.db.health(ctx) })
	if errors.Is(err, app.ErrNotFound) {
		return nil
	}
	return err
}

// Load says how much the writers of the open files have before them together.
func (c *Cluster) Load() Load {
	var all Load
	for _, s := range c.known() {
		s.mu.RLock()
		if s.db != nil {
			one := s.db.load()
			all.LogBytes = max(all.LogBytes, one.LogBytes)
			all.Waiting += one.Waiting
		}
		s.mu.RUnlock()
	}
	return all
}

// Close closes every file after what is being written.
func (c *Cluster) Close() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	if c.stop != nil { // nil: it was not opened whole
		c.stop()
	}
	c.tidied.Wait()
	var failures []error
	for _, s := range c.known() {
		failures = append(failures, c.shut(s.name))
	}
	return errors.Join(failures...)
}

func (c *Cluster) shut(name string) error {
	s := c.hold(name)
	defer c.release(s)
	s.mu.Lock()
	defer s.mu.Unlock()
	return c.closeFile(s)
}
