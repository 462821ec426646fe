package documents_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tenantry/app"
	"tenantry/app/documents"
	"tenantry/app/identity"
	"tenantry/app/seal"
	"tenantry/app/sqlite"
	"tenantry/app/tenancy"
)

// world is the core on a data folder, with two organizations.
type world struct {
	t       testing.TB
	ctx     context.Context
	tenancy *tenancy.Service
	*documents.Service
	acme, other tenant
}

// tenant is an organization's slug and its owner.
type tenant struct {
	slug  string
	owner app.Actor
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, ctx: context.Background()}
	log := slog.New(slog.DiscardHandler)
	folder, err := sqlite.OpenFolder(t.TempDir(), sqlite.FolderOptions{})
	w.ok(err)
	w.closing(folder)
	registry, err := sqlite.OpenRegistry(w.ctx, folder, "registry.db", sqlite.RegistryOptions{AppVersion: "test", Logger: log})
	w.ok(err)
	w.closing(registry)
	// One shard: both organizations are in one file.
	cluster, err := sqlite.OpenCluster(w.ctx, filepath.Join(folder.Path(), "clusters"), "default",
		sqlite.ClusterOptions{Shards: 1, Version: "test", Logger: log})
	w.ok(err)
	w.closing(cluster)
	directory := tenancy.NewDirectory(registry)
	id, err := identity.New(w.ctx, registry, directory, seal.Key{1},
		// A busy machine is no reason to refuse a sign-in here.
		identity.Config{BcryptCost: 4, MaxWait: time.Minute}, app.Now, log)
	w.ok(err)
	t.Cleanup(id.Close)
	w.tenancy, err = tenancy.New(registry, directory, tenancy.Unlimited(map[string]app.Cluster{"default": cluster}), id,
		tenancy.Config{SignupOpen: true, Clusters: []string{"default"}, Isolation: app.IsolationCollection}, app.Now, log)
	w.ok(err)
	w.Service = documents.New(w.tenancy, app.Now)
	w.acme, w.other = w.tenant("acme"), w.tenant("other")
	return w
}

var people atomic.Int64

func (w *world) tenant(name string) tenant {
	w.t.Helper()
	org, err := w.tenancy.Create(w.ctx, app.Actor{}, tenancy.CreateInput{Name: name,
		Owner: &tenancy.OwnerInput{Email: fmt.Sprintf("owner%d@house.example", people.Add(1)), Password: "correct horse battery"}})
	w.ok(err)
	return tenant{org.Slug, app.Actor{Kind: app.AsUser, UserID: org.OwnerID, OrganizationID: org.ID}}
}

func (w *world) closing(c io.Closer) {
	w.t.Cleanup(func() {
		if err := c.Close(); err != nil {
			w.t.Error(err)
		}
	})
}

func (w *world) ok(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// create makes a document of the type "note".
func (w *world) create(o tenant, id, data string) app.Document {
	w.t.Helper()
	d, err := w.Create(w.ctx, o.owner, o.slug, documents.CreateInput{ID: id, Type: "note", Data: []byte(data)})
	w.ok(err)
	return d
}

// has fails unless the document is there, with the data.
func (w *world) has(o tenant, id, data string, revision int64) {
	w.t.Helper()
	d, err := w.Get(w.ctx, o.owner, o.slug, id)
	if err != nil || string(d.Data) != data || d.Revision != revision {
		w.t.Errorf("%s has %s at revision %d, %v; want %s at %d", id, d.Data, d.Revision, err, data, revision)
	}
}

func (w *world) wantCode(err error, kind error, code string) {
	w.t.Helper()
	var told *app.Error
	var fields app.FieldErrors
	got := fmt.Sprint(err)
	switch {
	case errors.As(err, &told):
		got = told.Code
	case errors.As(err, &fields) && len(fields) == 1:
		got = fields[0].Code
	}
	if got != code || !errors.Is(err, kind) {
		w.t.Errorf("got %v, want %s", err, code)
	}
}

// atOnce calls f n times at the same moment.
func atOnce(n int, f func(i int) error) []error {
	errs := make([]error, n)
	start := make(chan struct{})
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() {
			<-start
			errs[i] = f(i)
		})
	}
	close(start)
	group.Wait()
	return errs
}
