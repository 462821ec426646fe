package tenancy_test

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
	"tenantry/app/journal"
	"tenantry/app/seal"
	"tenantry/app/sqlite"
	"tenantry/app/tenancy"
)

const password = "correct horse battery"

// house is the core on a data folder: one registry, one cluster, any number of
// servers.
type house struct {
	t        testing.TB
	ctx      context.Context
	registry app.Registry
	cluster  app.Cluster
	folder   string // of the data, where it is in files
	identity *identity.Service
	*server
}

// server is one tenancy service with the documents on it.
type server struct {
	*tenancy.Service
	documents *documents.Service
}

// Delete is that of the service, with what goes on as an error.
func (s *server) Delete(ctx context.Context, actor app.Actor, ref string, ifRevision int64) error {
	d, err := s.Service.Delete(ctx, actor, ref, ifRevision)
	if err == nil && !d.Done {
		err = &journal.PendingError{Operation: d.Operation, Err: errors.New("not removed yet")}
	}
	return err
}

var (
	operator  = app.Actor{Kind: app.AsOperator}
	anonymous = app.Actor{}
	discard   = slog.New(slog.DiscardHandler)
	openHouse = tenancy.Config{SignupOpen: true, Clusters: []string{"default"}, Isolation: app.IsolationCollection}
)

func newHouse(t testing.TB) *house {
	t.Helper()
	h := &house{t: t, ctx: context.Background()}
	folder, err := sqlite.OpenFolder(t.TempDir(), sqlite.FolderOptions{})
	h.ok(err)
	h.closing(folder)
	h.folder = folder.Path()
	h.registry, err = sqlite.OpenRegistry(h.ctx, folder, "registry.db", sqlite.RegistryOptions{AppVersion: "test", Logger: discard})
	h.ok(err)
	h.closing(h.registry)
	h.cluster, err = sqlite.OpenCluster(h.ctx, filepath.Join(folder.Path(), "clusters"), "default",
		sqlite.ClusterOptions{Shards: 2, Version: "test", Logger: discard})
	h.ok(err)
	h.closing(h.cluster)
	h.moveIn()
	return h
}

// moveIn starts a server on the stores.
func (h *house) moveIn() {
	h.t.Helper()
	directory := tenancy.NewDirectory(h.registry)
	var err error
	h.identity, err = identity.New(h.ctx, h.registry, directory, seal.Key{1},
		// A busy machine is no reason to refuse a sign-in here.
		identity.Config{BcryptCost: 4, MaxWait: time.Minute}, app.Now, discard)
	h.ok(err)
	h.t.Cleanup(h.identity.Close)
	h.server = h.serveFrom(directory, h.registry, h.cluster, openHouse)
}

// serve starts another server, on the stores or on what stands before them.
func (h *house) serve(registry app.Registry, cluster app.Cluster, cfg tenancy.Config) *server {
	h.t.Helper()
	return h.serveFrom(tenancy.NewDirectory(registry), registry, cluster, cfg)
}

func (h *house) serveFrom(directory *tenancy.Directory, registry app.Registry, cluster app.Cluster, cfg tenancy.Config) *server {
	h.t.Helper()
	s, err := tenancy.New(registry, directory, tenancy.Unlimited(map[string]app.Cluster{"default": cluster}),
		h.identity, cfg, app.Now, discard)
	h.ok(err)
	return &server{s, documents.New(s, app.Now)}
}

func (h *house) closing(c io.Closer) {
	h.t.Cleanup(func() {
		if err := c.Close(); err != nil {
			h.t.Error(err)
		}
	})
}

func (h *house) ok(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// wantCode fails unless err is an *app.Error of the code, or an
// app.FieldErrors of one field with it.
func (h *house) wantCode(err error, code string) {
	h.t.Helper()
	if got := codeOf(err); got != code {
		h.t.Fatalf("got %v, want %s", err, code)
	}
}

func codeOf(err error) string {
	var told *app.Error
	var fields app.FieldErrors
	switch {
	case errors.As(err, &told):
		return told.Code
	case errors.As(err, &fields) && len(fields) == 1:
		return fields[0].Code
	}
	return fmt.Sprint(err)
}

var people atomic.Int64

// input is a new organization with an owner of its own.
func input(name string) tenancy.CreateInput {
	return tenancy.CreateInput{Name: name, Owner: &tenancy.OwnerInput{
		Email: fmt.Sprintf("owner%d@house.example", people.Add(1)), Password: password,
	}}
}

// tenant is an organization and its owner.
type tenant struct {
	app.Organization
	owner app.Actor
	email string
}

func (h *house) tenant(name string) tenant {
	h.t.Helper()
	in := input(name)
	org, err := h.Create(h.ctx, anonymous, in)
	h.ok(err)
	return tenant{org, app.Actor{Kind: app.AsUser, UserID: org.OwnerID, OrganizationID: org.ID}, in.Owner.Email}
}

func (h *house) login(email, password string) error {
	_, err := h.identity.Login(h.ctx, identity.LoginInput{Email: email, Password: password})
	return err
}

// organization reads what the registry has.
func (h *house) organization(id app.OrganizationID) app.Organization {
	h.t.Helper()
	org, err := h.registry.Organization(h.ctx, id)
	h.ok(err)
	return org
}

// tidy checks that nothing is half done: no open operation, and exactly one
// namespace, of the right name, for every organization, which has its owner.
func (h *house) tidy() {
	h.t.Helper()
	open, err := h.registry.OpenOperations(h.ctx, app.Now().AddDate(100, 0, 0))
	h.ok(err)
	if len(open) > 0 {
		h.t.Errorf("%d operations are open, the first: %+v", len(open), open[0])
	}
	namespaces, err := h.cluster.Namespaces(h.ctx)
	h.ok(err)
	where := map[app.OrganizationID]string{}
	for _, ns := range namespaces {
		where[ns.Organization] = fmt.Sprintf("%s/%s, generation %d", ns.Placement.Database, ns.Placement.Collection, ns.Placement.Generation)
	}
	all, err := h.registry.ListOrganizations(h.ctx, app.OrganizationQuery{Sort: app.SortCreated, Limit: 100_000})
	h.ok(err)
	for _, org := range all {
		if !org.State.Visible() {
			h.t.Errorf("organization %s is %s", org.Slug, org.State)
		}
		want := fmt.Sprintf("%s/%s, generation %d", org.Placement.Database, app.CollectionName(org.Slug), org.Placement.Generation)
		if got := where[org.ID]; got != want || org.Placement.Collection != app.CollectionName(org.Slug) {
			h.t.Errorf("the data of %s is in %q and its placement says %+v", org.Slug, got, org.Placement)
		}
		delete(where, org.ID)
		if _, err := h.registry.User(h.ctx, org.OwnerID); err != nil {
			h.t.Errorf("the owner of %s: %v", org.Slug, err)
		}
		if m, err := h.registry.Membership(h.ctx, org.ID, org.OwnerID); err != nil || m.Role != app.RoleOwner {
			h.t.Errorf("the owner's membership in %s: %+v, %v", org.Slug, m, err)
		}
	}
	if len(where) > 0 {
		h.t.Errorf("data of nobody: %v", where)
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
