package appliance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"sync"

	"tenantry/app"
	"tenantry/app/circuit"
	"tenantry/app/config"
	"tenantry/app/failpoint"
	"tenantry/app/mongodb"
	"tenantry/app/sqlite"
)

// store is one open cluster.
type store struct {
	name    string
	cluster app.Cluster
	circuit *circuit.Circuit // nil where it is not reached over a network
	folder  *sqlite.Folder   // that was taken for it; nil: none
}

// stores are the open clusters, which may come and go while the server runs.
type stores struct {
	folders *folders
	cfg     config.Config // with an absolute data folder
	version string
	metrics *mongodb.Metrics
	log     *slog.Logger

	mu  sync.Mutex
	all map[string]*store
}

// open opens a cluster, and is the one that knows it by its name from then on.
func (s *stores) open(ctx context.Context, name string, c config.Cluster) (*store, error) {
	opened, err := s.openAt(ctx, name, c)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all[name] = opened
	return opened, nil
}

func (s *stores) openAt(ctx context.Context, name string, c config.Cluster) (*store, error) {
	if config.IsMongoDB(c.URL) {
		opened, err := mongodb.OpenCluster(ctx, name, s.options(c))
		if err != nil {
			return nil, err
		}
		around, circ := circuit.Cluster(opened, name, s.log)
		return &store{name: name, cluster: failpoint.Cluster(around), circuit: circ}, nil
	}
	folder, err := s.folders.take(s.cfg.Path(c.URL))
	if err != nil {
		return nil, err
	}
	opened, err := sqlite.OpenCluster(ctx, s.cfg.Path(c.URL), name, s.clusterOptions(c))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cluster %s: %w", name, err), s.folders.give(folder))
	}
	return &store{name: name, cluster: failpoint.Cluster(opened), folder: folder}, nil
}

func (s *stores) options(c config.Cluster) mongodb.Options {
	return mongodb.Options{URL: c.URL, AppVersion: s.version, Logger: s.log, Metrics: s.metrics, Monitor: failpoint.Monitor()}
}

func (s *stores) clusterOptions(c config.Cluster) sqlite.ClusterOptions {
	return sqlite.ClusterOptions{Shards: c.Shards, Backups: filepath.Join(s.cfg.DataDir, "backups"), Version: s.version, Logger: s.log}
}

// look says what there is where a cluster is to be, and opens none.
func (s *stores) look(ctx context.Context, name string, c config.Cluster) (app.Site, error) {
	if config.IsMongoDB(c.URL) {
		return mongodb.Look(ctx, name, s.options(c))
	}
	folder, err := s.folders.takeIfThere(s.cfg.Path(c.URL))
	if err != nil {
		return app.Site{}, err
	}
	site, err := sqlite.Look(ctx, s.cfg.Path(c.URL), name, s.clusterOptions(c))
	return site, errors.Join(err, s.folders.give(folder))
}

// get gives the cluster of a name that is open.
func (s *stores) get(name string) app.Cluster {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all[name].cluster
}

// now are those that are open, by name.
func (s *stores) now() []*store {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := slices.Collect(maps.Values(s.all))
	slices.SortFunc(list, func(a, b *store) int { return cmp.Compare(a.name, b.name) })
	return list
}

// forget makes a store nobody's that is about to be closed.
func (s *stores) forget(gone *store) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all[gone.name] == gone {
		delete(s.all, gone.name)
	}
}

// close closes a store that was forgotten.
func (s *stores) close(gone *store) error {
	return errors.Join(gone.cluster.Close(), s.folders.give(gone.folder))
}
