package tenancy_test

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"testing"

	"tenantry/app"
	"tenantry/app/documents"
	"tenantry/app/sqlite"
	"tenantry/app/tenancy"
)

// roster is one server's view of a house that may have a second cluster, which
// is open already.
type roster struct {
	registry app.AddedClusters
	first    app.Cluster
	second   app.AddedCluster
	opened   app.Cluster
	clusters *tenancy.Clusters
}

func (r *roster) Prepare(context.Context, tenancy.AddClusterInput) (app.AddedCluster, app.Site, error) {
	return r.second, app.Site{}, nil
}

func (r *roster) Refresh(ctx context.Context) error {
	list, err := r.registry.AddedClusters(ctx)
	if err != nil {
		return err
	}
	places := map[string]tenancy.Place{"default": {Cluster: r.first, Isolations: app.Isolations()}}
	for _, k := range list {
		if k.Name == "default" {
			places[k.Name] = tenancy.Place{Cluster: r.first, Isolations: app.Isolations(), Closing: k.Closing, Instead: k.Instead}
		}
		if k.Name == r.second.Name && bytes.Equal(k.Sealed, r.second.Sealed) {
			places[k.Name] = tenancy.Place{Cluster: r.opened, Isolations: k.Isolations, Sealed: k.Sealed, Closing: k.Closing, Instead: k.Instead}
		}
	}
	r.clusters.Set(places, nil)
	return nil
}

// secondCluster adds one, and gives what makes servers that know it.
func secondCluster(h *house) func(registry app.Registry, cfg tenancy.Config) *server {
	h.t.Helper()
	opened, err := sqlite.OpenCluster(h.ctx, filepath.Join(h.t.TempDir(), "second"), "second", sqlite.ClusterOptions{Shards: 2})
	h.ok(err)
	h.closing(opened)
	k := app.AddedCluster{Name: "second", Sealed: []byte("second"), Shards: 2, Isolations: app.Isolations()}
	serve := func(registry app.Registry, cfg tenancy.Config) *server {
		h.t.Helper()
		r := &roster{registry: registry, first: h.cluster, second: k, opened: opened}
		r.clusters = tenancy.Unlimited(map[string]app.Cluster{"default": h.cluster}).Kept(r)
		h.ok(r.Refresh(h.ctx))
		s, err := tenancy.New(registry, tenancy.NewDirectory(registry), r.clusters, h.identity, cfg, app.Now, discard)
		h.ok(err)
		return &server{s, documents.New(s, app.Now)}
	}
	_, err = serve(h.registry, openHouse).AddCluster(h.ctx, operator, tenancy.AddClusterInput{}, false)
	h.ok(err)
	return serve
}

// interrupted does something before and after an operation is recorded, once
// each.
type interrupted struct {
	app.Registry
	before, after func()
}

func (r *interrupted) BeginCreate(ctx context.Context, op app.Operation, c app.Creation) error {
	return r.around(func() error { return r.Registry.BeginCreate(ctx, op, c) })
}

func (r *interrupted) BeginRelocation(ctx context.Context, op app.Operation) error {
	return r.around(func() error { return r.Registry.BeginRelocation(ctx, op) })
}

func (r *interrupted) around(begin func() error) error {
	before, after := r.before, r.after
	r.before, r.after = nil, nil
	if before != nil {
		before()
	}
	err := begin()
	if after != nil {
		after()
	}
	return err
}

// living counts who is recorded in the second cluster.
func living(h *house) int64 {
	h.t.Helper()
	n, err := h.registry.CountOrganizations(h.ctx, app.OrganizationQuery{Cluster: "second"})
	h.ok(err)
	return n
}

// A server is stopped just before or just after it records somebody in a cluster,
// and meanwhile another one removes that: the removal is refused, or nobody is
// there. They go elsewhere where they may.
func TestRemovalMeetsSomebodyWhoMovesIn(t *testing.T) {
	anywhere := openHouse
	anywhere.Clusters = []string{"second", "default"}
	for name, c := range map[string]struct {
		cfg     tenancy.Config
		cluster string // asked for
		act     func(h *house, s *server, cluster string) error
		want    string // the code where it was removed before
	}{
		"a creation that may go anywhere": {cfg: anywhere, act: makeOne},
		"a creation there by name":        {cfg: openHouse, cluster: "second", act: makeOne, want: "unavailable"},
		"a relocation":                    {cfg: openHouse, cluster: "second", act: moveOne, want: ""},
	} {
		t.Run("before/"+name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			serve := secondCluster(h)
			other := serve(h.registry, openHouse)
			r := &interrupted{Registry: h.registry}
			r.before = func() {
				_, err := other.RemoveCluster(h.ctx, operator, "second", false)
				h.ok(err)
			}
			err := c.act(h, serve(r, c.cfg), c.cluster)
			if got := codeOf(err); c.want != "" && got != c.want || c.want == "" && err != nil {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if n := living(h); n > 0 {
				t.Errorf("%d organizations live in a cluster that was removed", n)
			}
			h.allEnded()
		})
		t.Run("after/"+name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			serve := secondCluster(h)
			other := serve(h.registry, openHouse)
			r := &interrupted{Registry: h.registry}
			var refused error
			r.after = func() { _, refused = other.RemoveCluster(h.ctx, operator, "second", false) }
			err := c.act(h, serve(r, c.cfg), c.cluster)
			h.wantCode(refused, "cluster_inhabited")
			if err != nil || living(h) != 1 {
				t.Errorf("%d organizations live there: %v", living(h), err)
			}
		})
	}
}

func makeOne(h *house, s *server, cluster string) error {
	in := input("Acme")
	in.Cluster = cluster
	_, err := s.Create(h.ctx, operator, in)
	return err
}

// moveOne moves somebody there; that a relocation failed is no error.
func moveOne(h *house, s *server, cluster string) error {
	if _, err := h.Create(h.ctx, operator, input("Acme")); err != nil {
		return err
	}
	op, err := s.Relocate(h.ctx, operator, "acme", tenancy.RelocateInput{Cluster: cluster})
	if err == nil && op.State != app.OperationFailed && op.Relocation.Flips == 0 {
		err = errors.New("it has neither failed nor switched")
	}
	return err
}

// allEnded fails where an operation is open, or a namespace is wrong.
func (h *house) allEnded() {
	h.t.Helper()
	open, err := h.registry.ListOperations(h.ctx, app.OperationQuery{States: app.OpenStates(), Limit: 1})
	h.ok(err)
	found, err := h.Doctor(h.ctx, operator, false)
	h.ok(err)
	if len(open)+len(found) > 0 {
		h.t.Errorf("open: %+v; found: %+v", open, found)
	}
}
