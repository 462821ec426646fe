package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
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
	// Backups is the folder for backups before a migration.
	Backups string
	// Version is the program's, recorded with every migration.
	Version string
	Logger  *slog.Logger // nil: discarded
	Clock   app.Clock    // nil: app.Now
}

// Cluster keeps tenant data in a directory of SQLite files, the shards, with
// one table for each organization. It is an app.Cluster.
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
	shards map[string]*shard
	closed bool
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
	return c, nil
}

// look refuses shards that a newer version wrote, and opens those that are
// known to be damaged, so that Health tells of them.
func (c *Cluster) look(ctx context.Context) error {
	names, err := c.files()
	if err != nil {
		return err
	}
	for _, name := range names {
		s, err := c.shard(name)
		if err != nil {
			return err
		}
		_, statErr := os.Stat(s.path + damageSuffix)
		isNewer := headerVersion(s.path) > len(c.databases.schema.migrations)
		if statErr != nil && !isNewer {
			continue
		}
		var newer *NewerError
		if err := c.open(ctx, s, existing); errors.As(err, &newer) {
			return newer
		}
	}
	return nil
}

// isolations are those that namespaces can have here.
var isolations = []app.Isolation{app.IsolationCollection, app.IsolationShared}

// Locate names the file and the table of a new organization. See app.Cluster.
func (c *Cluster) Locate(org app.OrganizationID, slug string, isolation app.Isolation) (app.Placement, error) {
	p := app.Placement{
		Cluster: c.name, Isolation: isolation, Database: shardName(0),
		Collection: app.CollectionIn(isolation, slug), Generation: 1,
	}
	if _, err := c.check(app.Namespace{Organization: org, Placement: p}); err != nil {
		return app.Placement{}, err
	}
	switch isolation {
	case app.IsolationShared:
		p.Database = shardName(shardOf(org, c.opts.Shards))
	default:
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
	place := app.Namespace{Placement: app.Placement{Isolation: app.IsolationCollection, Database: name}}
	_ = c.use(context.Background(), place, existing, func(s *shard) error {
		n = s.tables.Load()
		return nil
	})
	return n
}

// check refuses what cannot be a namespace here.
func (c *Cluster) check(ns app.Namespace) (table, error) {
	if err := checkIsolation(ns.Placement.Isolation); err != nil {
		return table{}, err
	}
	if _, err := index(ns.Organization); err != nil {
		return table{}, err
	}
	return parseTable(ns.Placement.Isolation, ns.Placement.Collection)
}

func checkIsolation(isolation app.Isolation) error {
	if slices.Contains(isolations, isolation) {
		return nil
	}
	return app.Invalid("isolation", "invalid_isolation", `The isolation is "collection" or "shared".`)
}

// whether says what to do about a shard that has no file.
type whether bool

const (
	existing whether = false // there is nothing in it: ErrNotFound
	create   whether = true
)

// use gives f the namespace's shard, open until f returns.
func (c *Cluster) use(ctx context.Context, ns app.Namespace, make whether, f func(*shard) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := checkIsolation(ns.Placement.Isolation); err != nil {
		return err
	}
	s, err := c.shard(ns.Placement.Database)
	if err != nil {
		return err
	}
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

// shard gives the shard of this name, open or not.
func (c *Cluster) shard(name string) (*shard, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.shards[name]; s != nil {
		return s, nil
	}
	if err := parseShard(name); err != nil {
		return nil, err
	}
	s := &shard{name: name, path: filepath.Join(c.dir, name+".db"), clock: c.opts.Clock, earlyReads: c.earlyReads}
	c.shards[name] = s
	return s, nil
}

// open opens a shard's file unless it is open.
func (c *Cluster) open(ctx context.Context, s *shard, make whether) error {
	s.mu.Lock()
	defer s.mu.Unlock()
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
			return fmt.Errorf("shard %s: %w: %w", s.name, app.ErrMoved, app.ErrNotFound)
		}
	}
	// The one who happens to come first must not leave it half open by giving up.
	s.failed, s.tried = s.open(context.WithoutCancel(ctx), c.databases), time.Now()
	return s.failed
}

// files lists the shards that have a file, open or not.
func (c *Cluster) files() ([]string, error) {
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return nil, fmt.Errorf("cluster %s: %w", c.name, err)
	}
	var names []string
	for _, e := range entries {
		if name, is := strings.CutSuffix(e.Name(), ".db"); is && parseShard(name) == nil {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names, nil
}

// eachFile gives f each file that there is, open until f returns. The error
// begins with the name of the file.
func (c *Cluster) eachFile(ctx context.Context, f func(*shard) error) error {
	names, err := c.files()
	if err != nil {
		return err
	}
	for _, name := range names {
		place := app.Namespace{Placement: app.Placement{Isolation: app.IsolationCollection, Database: name}}
		if err := c.use(ctx, place, existing, f); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// known lists the shards that were used, in order.
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

// Health says what is wrong with the shards that are open or cannot be opened:
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
	if err := c.open(ctx, s, existing); !errors.Is(err, app.ErrNotFound) {
		return err
	}
	return nil
}

// Load says how much the writers of the open shards have before them together.
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

// Close closes every shard after what is being written.
func (c *Cluster) Close() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	var failures []error
	for _, s := range c.known() {
		s.mu.Lock()
		if s.db != nil {
			failures = append(failures, s.db.close())
			s.db = nil
		}
		s.mu.Unlock()
	}
	return errors.Join(failures...)
}
