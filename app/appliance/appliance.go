// Package appliance joins the engines and the capabilities into the one thing
// that a server serves and a command works on.
package appliance

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"tenantry/app"
	"tenantry/app/circuit"
	"tenantry/app/config"
	"tenantry/app/documents"
	"tenantry/app/failpoint"
	"tenantry/app/identity"
	"tenantry/app/mongodb"
	"tenantry/app/relocation"
	"tenantry/app/seal"
	"tenantry/app/sqlite"
	"tenantry/app/tenancy"
)

// operationsKept is how long an ended operation can still be looked up.
const operationsKept = 7 * 24 * time.Hour

// Appliance is an open data folder with everything that works on it.
type Appliance struct {
	Tenancy   *tenancy.Service
	Documents *documents.Service
	Identity  *identity.Service
	// Folder is the data folder's absolute path.
	Folder string

	registry app.Registry
	circuit  *circuit.Circuit // of the registry; nil where it is not reached over a network
	stores   *stores
	roster   *roster
	log      *slog.Logger

	stop       context.CancelFunc
	background sync.WaitGroup
}

// Open opens the data folder for this process alone, ends every operation that
// a stopped server left open, and starts the work in the background. The error
// is a *HeldError when another process holds the folder, and an *AwayError when
// a MongoDB server cannot be used.
func Open(ctx context.Context, cfg config.Config, version string, log *slog.Logger) (_ *Appliance, err error) {
	a := &Appliance{log: log, stop: func() {}, stores: &stores{version: version, log: log, all: map[string]*store{}}}
	if cfg.Admin.Listen != "" {
		a.stores.metrics = mongodb.NewMetrics() // they cost a little with each command
	}
	defer func() {
		if err != nil {
			_ = a.Close()
		}
	}()
	if a.stores.folders, err = openFolders(cfg); err != nil {
		return nil, err
	}
	a.Folder = a.stores.folders.data().Path()
	cfg.DataDir = a.Folder // whatever the working directory becomes
	a.stores.cfg = cfg
	if a.registry, a.circuit, err = a.stores.openRegistry(ctx); err != nil {
		return nil, err
	}
	for _, name := range cfg.ClusterNames() {
		if _, err := a.stores.open(ctx, name, cfg.Clusters[name]); err != nil {
			return nil, err
		}
	}
	if err := a.refuseLostRegistry(ctx); err != nil {
		return nil, err
	}
	key, err := seal.Load(a.Folder, cfg.SealKey)
	if err != nil {
		return nil, err
	}
	directory := tenancy.NewDirectory(a.registry)
	a.Identity, err = identity.New(ctx, a.registry, directory, key, identity.Config{
		BcryptCost: cfg.Password.BcryptCost, Workers: cfg.Password.Workers, MaxWait: cfg.Password.MaxWait,
		Issuer: cfg.Tokens.Issuer, Audience: cfg.Tokens.Audience,
		AccessTokenTTL: cfg.Tokens.AccessTTL, RefreshTokenTTL: cfg.Tokens.RefreshTTL,
		KeyRotation: cfg.Tokens.KeyRotation,
	}, app.Now, log)
	if err != nil {
		return nil, err
	}
	a.roster = newRoster(a.stores, cfg, key, a.registry, log)
	if err := a.roster.start(ctx); err != nil {
		return nil, err
	}
	a.Tenancy, err = tenancy.New(a.registry, directory, a.roster.clusters, a.Identity, tenancy.Config{
		SignupOpen: cfg.Signup == config.SignupOpen,
		Clusters:   cfg.PlacementClusters(),
		Isolation:  app.Isolation(cfg.Placement.Isolation),
		Rules:      rules(cfg.Placement.Parsed()),

		DeletionRetention: cfg.DeletionRetention,
		OperationWait:     cfg.OperationWait,
		OperationLease:    failpoint.Hurry(),
		ReconcileEvery:    failpoint.Hurry(),
		FingerprintKey:    key.Derive("fingerprints of requests"),
		Relocation: relocation.Config{
			PlacementLease: cfg.PlacementLease, CutoverTimeout: cfg.CutoverTimeout, Grace: cfg.RelocationGrace,
			DocumentsPerSecond: cfg.RelocationDocumentsPerSecond, BytesPerSecond: cfg.RelocationBytesPerSecond,
		},
	}, app.Now, log)
	if err != nil {
		return nil, err
	}
	a.Documents = documents.New(a.Tenancy, app.Now).Holding(cfg.CutoverTimeout)
	if err := a.recover(ctx); err != nil {
		return nil, err
	}
	running, stop := context.WithCancel(context.Background())
	a.stop = stop
	a.background.Go(func() { a.Tenancy.Reconcile(running) })
	a.background.Go(func() { a.prune(running) })
	a.background.Go(func() { a.roster.watch(running) })
	return a, nil
}

// recover ends what is open. What cannot be ended now (a full disk, a damaged
// file) is no reason not to serve the rest: it is tried again while serving.
func (a *Appliance) recover(ctx context.Context) error {
	ended, err := a.Tenancy.Recover(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if ended > 0 {
		a.log.Info("operations of a stopped server were ended", "count", ended)
	}
	if err != nil {
		a.log.Error("operations of a stopped server are still open", "error", err)
	}
	return nil
}

func (a *Appliance) prune(ctx context.Context) {
	ticker := time.NewTicker(time.Hour)
	defer ticker.Stop()
	for {
		_, err := a.registry.PruneOperations(ctx, app.Now().Add(-operationsKept))
		_, more := a.registry.PruneRepetitions(ctx, app.Now())
		if err = errors.Join(err, more); err != nil && ctx.Err() == nil {
			a.log.Warn("old operations and repetitions were not pruned", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Health asks the registry and every cluster, side by side: one that does not
// answer takes no time from the others.
func (a *Appliance) Health(ctx context.Context) map[string]error {
	health := map[string]error{}
	var mu sync.Mutex
	var asking sync.WaitGroup
	ask := func(name string, of interface{ Health(context.Context) error }) {
		asking.Go(func() {
			err := of.Health(ctx)
			mu.Lock()
			defer mu.Unlock()
			health[name] = err
		})
	}
	ask("registry", a.registry)
	for _, s := range a.stores.now() {
		ask("cluster "+s.name, s.cluster)
	}
	asking.Wait()
	return health
}

// Load says what the writers of the files have before them, of the registry and
// of every cluster that is kept in files, by the names that Health uses.
func (a *Appliance) Load() map[string]sqlite.Load {
	load := map[string]sqlite.Load{}
	if r, ok := a.registry.(*sqlite.Registry); ok {
		load["registry"] = r.Load()
	}
	for _, s := range a.stores.now() {
		if c, ok := s.cluster.(*sqlite.Cluster); ok {
			load["cluster "+s.name] = c.Load()
		}
	}
	return load
}

// Close ends the work in the background, writes what waits and gives the
// folder back.
func (a *Appliance) Close() error {
	a.stop()
	a.background.Wait()
	if a.Tenancy != nil {
		a.Tenancy.Close()
	}
	if a.Identity != nil {
		a.Identity.Close()
	}
	var errs []error
	if a.roster != nil {
		a.roster.close()
	}
	for _, s := range a.stores.now() {
		errs = append(errs, s.cluster.Close())
	}
	if a.registry != nil {
		errs = append(errs, a.registry.Close())
	}
	if a.stores.folders != nil {
		errs = append(errs, a.stores.folders.close())
	}
	return errors.Join(errs...)
}

// HeldError says that another process holds the data folder.
type HeldError = sqlite.HeldError
