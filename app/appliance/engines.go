package appliance

import (
	"context"
	"fmt"
	"path/filepath"

	"tenantry/app"
	"tenantry/app/circuit"
	"tenantry/app/config"
	"tenantry/app/failpoint"
	"tenantry/app/mongodb"
	"tenantry/app/sqlite"
)

// openRegistry opens the registry on whichever engine its URL names.
func (a *Appliance) openRegistry(ctx context.Context, cfg config.Config, version string) (app.Registry, error) {
	if config.IsMongoDB(cfg.Registry.URL) {
		r, err := mongodb.OpenRegistry(ctx, mongodb.Options{URL: cfg.Registry.URL, AppVersion: version, Logger: a.log,
			Lease: cfg.PlacementLease, Metrics: a.metrics,
			Patience: failpoint.Hurry(), Monitor: failpoint.Monitor()})
		if err != nil {
			return nil, err // a nil *mongodb.Registry would be no nil app.Registry
		}
		around, c := circuit.Registry(r, a.log)
		a.circuits["registry"] = c
		return failpoint.Registry(around), nil
	}
	r, err := sqlite.OpenRegistry(ctx, a.folders[0], cfg.Path(cfg.Registry.URL), sqlite.RegistryOptions{AppVersion: version, Logger: a.log})
	if err != nil {
		return nil, fmt.Errorf("registry: %w", err)
	}
	return failpoint.Registry(r), nil
}

// openCluster opens one on whichever engine its URL names.
func (a *Appliance) openCluster(ctx context.Context, cfg config.Config, name, version string) (app.Cluster, error) {
	c := cfg.Clusters[name]
	if config.IsMongoDB(c.URL) {
		opened, err := mongodb.OpenCluster(ctx, name, mongodb.Options{URL: c.URL, AppVersion: version, Logger: a.log, Metrics: a.metrics,
			Monitor: failpoint.Monitor()})
		if err != nil {
			return nil, err
		}
		around, circ := circuit.Cluster(opened, name, a.log)
		a.circuits["cluster "+name] = circ
		return failpoint.Cluster(around), nil
	}
	opened, err := sqlite.OpenCluster(ctx, cfg.Path(c.URL), name, sqlite.ClusterOptions{
		Shards: c.Shards, Backups: filepath.Join(a.Folder, "backups"), Version: version, Logger: a.log,
	})
	if err != nil {
		return nil, fmt.Errorf("cluster %s: %w", name, err)
	}
	return failpoint.Cluster(opened), nil
}

// AwayError says that a MongoDB server could not be used at start.
type AwayError = mongodb.AwayError
