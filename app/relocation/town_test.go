package relocation_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"tenantry/app"
	"tenantry/app/documents"
	"tenantry/app/identity"
	"tenantry/app/journal"
	"tenantry/app/relocation"
	"tenantry/app/seal"
	"tenantry/app/sqlite"
	"tenantry/app/tenancy"
)

var operator = app.Actor{Kind: app.AsOperator}

// quiet logs nothing.
var quiet = slog.New(slog.DiscardHandler)

// town is real stores, and servers on them.
type town struct {
	t        testing.TB
	registry app.Registry
	clusters map[string]app.Cluster
	// offices are the servers; each has caches of its own.
	offices []*office
	// pause is the longest that a writer rests between two acts.
	pause time.Duration
	terms relocation.Config
}

type office struct {
	*tenancy.Service
	docs *documents.Service
}

// patience is how long a relocation may take on a machine that does much else: a
// cutover that was tried in vain is tried again up to half a minute later.
const patience = 5 * time.Minute

// hasty are terms of relocations that are through soon.
var hasty = relocation.Config{PlacementLease: 300 * time.Millisecond, CutoverTimeout: 20 * time.Second, Grace: time.Hour}

// in is the same town, as a part of the test sees it.
func (w *town) in(t testing.TB) *town {
	there := *w
	there.t = t
	return &there
}

// sqliteTown has two clusters in files, which one process holds: one server.
func sqliteTown(t testing.TB) *town {
	t.Helper()
	w := sqliteStores(t)
	w.open(w.registry, w.clusters)
	return w
}

func sqliteStores(t testing.TB) *town {
	t.Helper()
	w := &town{t: t, clusters: map[string]app.Cluster{}, terms: hasty}
	folder, err := sqlite.OpenFolder(t.TempDir(), sqlite.FolderOptions{})
	w.ok(err)
	w.closing(folder)
	w.registry, err = sqlite.OpenRegistry(context.Background(), folder, "registry.db", sqlite.RegistryOptions{AppVersion: "test", Logger: quiet})
	w.ok(err)
	w.closing(w.registry)
	for _, name := range []string{"a", "b"} {
		w.addSQLite(name, folder.Path())
	}
	return w
}

func (w *town) addSQLite(name, folder string) {
	w.t.Helper()
	cluster, err := sqlite.OpenCluster(context.Background(), filepath.Join(folder, "clusters", name), name,
		sqlite.ClusterOptions{Shards: 2, Version: "test", Logger: quiet})
	w.ok(err)
	w.closing(cluster)
	w.clusters[name] = cluster
}

// open opens a server on stores.
func (w *town) open(registry app.Registry, clusters map[string]app.Cluster) *office {
	w.t.Helper()
	id, err := identity.New(context.Background(), registry, tenancy.NewDirectory(registry), seal.Key{1},
		identity.Config{BcryptCost: 4, MaxWait: time.Minute}, app.Now, quiet)
	w.ok(err)
	w.t.Cleanup(id.Close)
	s, err := tenancy.New(registry, tenancy.NewDirectory(registry), tenancy.Unlimited(clusters), id, tenancy.Config{
		SignupOpen: true, Clusters: []string{"a"}, Isolation: app.IsolationCollection, OperationWait: 200 * time.Millisecond, Relocation: w.terms,
	}, app.Now, quiet)
	w.ok(err)
	w.t.Cleanup(s.Close)
	running, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); s.Reconcile(running) }()
	w.t.Cleanup(func() { stop(); <-done })
	o := &office{s, documents.New(s, app.Now).Holding(w.terms.CutoverTimeout)}
	w.offices = append(w.offices, o)
	return o
}

func (w *town) closing(c io.Closer) {
	w.t.Cleanup(func() {
		if err := c.Close(); err != nil {
			w.t.Error(err)
		}
	})
}

func (w *town) ok(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// settle makes an organization at a place, with an owner.
func (w *town) settle(name string, at tenancy.RelocateInput) (app.Organization, app.Actor) {
	w.t.Helper()
	org, err := w.offices[0].Create(context.Background(), operator, tenancy.CreateInput{
		Name: name, Cluster: at.Cluster, Isolation: at.Isolation,
		Owner: &tenancy.OwnerInput{Email: name + "@town.example", Password: "correct horse battery"},
	})
	var running *journal.RunningError
	if errors.As(err, &running) {
		op := w.until(running.Operation, func(op app.Operation) bool { return !op.State.Open() })
		org, err = w.offices[0].Get(context.Background(), operator, string(op.OrganizationID))
	}
	w.ok(err)
	return org, app.Actor{Kind: app.AsUser, UserID: org.OwnerID, OrganizationID: org.ID}
}

// move moves an organization and waits until it has switched.
func (w *town) move(org app.OrganizationID, to tenancy.RelocateInput) tenancy.OperationView {
	w.t.Helper()
	return w.switched(w.offices[0].Relocate(context.Background(), operator, string(org), to))
}

// complete and revert end a relocation.
func (w *town) complete(id app.OperationID) tenancy.OperationView {
	w.t.Helper()
	return w.ended(w.offices[0].CompleteOperation(context.Background(), operator, string(id)))
}

func (w *town) revert(id app.OperationID) tenancy.OperationView {
	w.t.Helper()
	return w.ended(w.offices[0].RevertOperation(context.Background(), operator, string(id)))
}

func (w *town) switched(op tenancy.OperationView, err error) tenancy.OperationView {
	w.t.Helper()
	return w.after(op, err, func(op app.Operation) bool { return !op.State.Open() || op.Relocation.Settled })
}

func (w *town) ended(op tenancy.OperationView, err error) tenancy.OperationView {
	w.t.Helper()
	return w.after(op, err, func(op app.Operation) bool { return !op.State.Open() })
}

// after waits for what goes on after it was answered.
func (w *town) after(op tenancy.OperationView, err error, f func(app.Operation) bool) tenancy.OperationView {
	w.t.Helper()
	var running *journal.RunningError
	if errors.As(err, &running) {
		return w.until(running.Operation, f)
	}
	w.ok(err)
	return op
}

// until waits for an operation.
func (w *town) until(id app.OperationID, f func(app.Operation) bool) tenancy.OperationView {
	w.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		op, err := w.offices[0].Operation(context.Background(), operator, string(id))
		w.ok(err)
		if f(op.Operation) {
			return op
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("it does not come on: %s: %s; %+v", op.State, op.Error, op.Relocation)
		}
	}
}

// whole checks that the organization is in one place, and nothing of it
// elsewhere, as far as the clusters know.
func (w *town) whole(org app.OrganizationID) {
	w.t.Helper()
	now, err := w.registry.Organization(context.Background(), org)
	w.ok(err)
	var found []string
	for name, c := range w.clusters {
		list, err := c.Namespaces(context.Background())
		w.ok(err)
		for _, ns := range list {
			if ns.Organization == org {
				p := ns.Placement
				p.Cluster = name
				found = append(found, fmt.Sprint(p))
			}
		}
	}
	if len(found) != 1 || found[0] != fmt.Sprint(now.Placement) {
		w.t.Errorf("the organization is at %v, and there is %v", now.Placement, found)
	}
}

// sound checks that all that is there is as the registry says.
func (w *town) sound() {
	w.t.Helper()
	findings, err := w.offices[0].Doctor(context.Background(), operator, false)
	w.ok(err)
	for _, f := range findings {
		w.t.Errorf("the doctor finds %+v", f)
	}
}
