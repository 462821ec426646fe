package tenancy_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"tenantry/app"
	"tenantry/app/tenancy"
)

// located is a cluster that makes nothing of what it locates, so that it has
// every isolation and costs nothing. It counts how often it was asked how it
// is, and can be away.
type located struct {
	app.Cluster
	asked atomic.Int64
	away  atomic.Bool
}

func (l *located) Locate(org app.OrganizationID, slug string, isolation app.Isolation) (app.Placement, error) {
	return app.Placement{Isolation: isolation, Database: "d", Collection: app.CollectionIn(isolation, slug), Generation: 1}, nil
}
func (l *located) Provision(context.Context, app.Namespace) error { return nil }
func (l *located) Drop(context.Context, app.Namespace) error      { return nil }
func (l *located) Health(context.Context) error {
	l.asked.Add(1)
	if l.away.Load() {
		return app.Unavailable("It", nil)
	}
	return nil
}

// counting is a registry that counts how often it was asked for a number.
type counting struct {
	app.Registry
	counted atomic.Int64
}

func (c *counting) CountOrganizations(ctx context.Context, q app.OrganizationQuery) (int64, error) {
	c.counted.Add(1)
	return c.Registry.CountOrganizations(ctx, q)
}

// town is a registry with clusters that all are located.
type town struct {
	*house
	registry *counting
	clusters map[string]*located
	places   map[string]tenancy.Place
	logged   *lines
}

// lines are what was logged.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) count(part string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), part)
}

func newTown(t *testing.T, names ...string) *town {
	h := newHouse(t)
	w := &town{house: h, registry: &counting{Registry: h.registry}, clusters: map[string]*located{}, places: map[string]tenancy.Place{}, logged: &lines{}}
	for _, name := range names {
		w.clusters[name] = &located{Cluster: h.cluster}
		w.places[name] = tenancy.Place{Cluster: w.clusters[name], Isolations: app.Isolations()}
	}
	return w
}

func (w *town) limit(name string, most int, isolations ...app.Isolation) {
	p := w.places[name]
	p.MaxNamespaces = most
	if len(isolations) > 0 {
		p.Isolations = isolations
	}
	w.places[name] = p
}

func (w *town) serve(cfg tenancy.Config) *tenancy.Service {
	w.t.Helper()
	cfg.SignupOpen = true
	if cfg.Isolation == "" {
		cfg.Isolation = app.IsolationCollection
	}
	s, err := tenancy.New(w.registry, tenancy.NewDirectory(w.registry), tenancy.NewClusters(w.places), w.identity, cfg, app.Now,
		slog.New(slog.NewTextHandler(w.logged, nil)))
	w.ok(err)
	return s
}

var named atomic.Int64

// in makes an organization and says where it is: "cluster isolation".
func in(ctx context.Context, s *tenancy.Service, actor app.Actor, change func(*tenancy.CreateInput)) (string, error) {
	i := input(fmt.Sprintf("Org %d", named.Add(1)))
	if change != nil {
		change(&i)
	}
	org, err := s.Create(ctx, actor, i)
	return org.Placement.Cluster + " " + string(org.Placement.Isolation), err
}

func TestRulesOfPlacement(t *testing.T) {
	w := newTown(t, "default", "eu", "us", "big")
	s := w.serve(tenancy.Config{Clusters: []string{"default"}, Rules: []tenancy.Rule{
		{Field: "region", Value: "eu", Clusters: []string{"eu"}},
		{Field: "region", Value: "us", Clusters: []string{"us"}, Isolation: app.IsolationShared},
		{Field: "plan", Value: "enterprise", Clusters: []string{"big"}, Isolation: app.IsolationDatabase},
	}})
	for _, test := range []struct {
		metadata  map[string]string
		cluster   string
		isolation app.Isolation
		want      string
	}{
		{nil, "", "", "default collection"},
		{map[string]string{"region": "moon"}, "", "", "default collection"},
		{map[string]string{"region": "eu"}, "", "", "eu collection"},
		{map[string]string{"region": "us"}, "", "", "us shared"},
		{map[string]string{"plan": "enterprise"}, "", "", "big database"},
		{map[string]string{"plan": "enterprise", "region": "eu"}, "", "", "eu database"},
		{map[string]string{"plan": "enterprise", "region": "us"}, "", "", "us shared"},
		{map[string]string{"region": "us"}, "big", "", "big shared"},
		{map[string]string{"region": "us"}, "", app.IsolationCollection, "us collection"},
	} {
		actor := anonymous
		if test.cluster != "" || test.isolation != "" {
			actor = operator
		}
		got, err := in(w.ctx, s, actor, func(i *tenancy.CreateInput) {
			i.Metadata, i.Cluster, i.Isolation = test.metadata, test.cluster, test.isolation
		})
		if err != nil || got != test.want {
			t.Errorf("%v %s %s: %s, %v; want %s", test.metadata, test.cluster, test.isolation, got, err, test.want)
		}
	}
	if n := w.registry.counted.Load(); n != 0 {
		t.Errorf("organizations were counted %d times, with nothing to decide by it", n)
	}
}

func TestLeastLoaded(t *testing.T) {
	w := newTown(t, "a", "b", "c")
	s := w.serve(tenancy.Config{Clusters: []string{"a", "b"}})
	got := map[string]int{}
	for range 10 {
		where, err := in(w.ctx, s, anonymous, nil)
		w.ok(err)
		got[where]++
	}
	if got["a collection"] != 5 || got["b collection"] != 5 {
		t.Errorf("10 organizations went to %v", got)
	}
	// Counting and asking is for all, within its time, and not for each.
	if n := w.clusters["a"].asked.Load(); n > 5 {
		t.Errorf("a cluster was asked %d times how it is", n)
	}
	if n := w.registry.counted.Load(); n > 10 {
		t.Errorf("organizations were counted %d times", n)
	}
	w.clusters["a"].away.Store(true)
	away := w.serve(tenancy.Config{Clusters: []string{"a", "b"}})
	for range 3 {
		where, err := in(w.ctx, away, anonymous, nil)
		if err != nil || where != "b collection" {
			t.Errorf("with a away: %s, %v", where, err)
		}
	}
}

func TestNamespaceBudget(t *testing.T) {
	w := newTown(t, "default")
	w.limit("default", 10)
	s := w.serve(tenancy.Config{Clusters: []string{"default"}})
	var where []string
	for range 13 {
		at, err := in(w.ctx, s, anonymous, nil)
		w.ok(err)
		where = append(where, at)
	}
	if got, want := strings.Join(where, ","), strings.Repeat("default collection,", 10)+"default shared,default shared,default shared"; got != want {
		t.Errorf("they went to %s", got)
	}
	if n := w.logged.count("namespaces of a cluster are running out"); n != 2 {
		t.Errorf("%d warnings, want one at 80%% and one when it is full:\n%s", n, w.logged.text.String())
	}
	views, err := s.Clusters(w.ctx, operator)
	w.ok(err)
	if b := views[0].Budget; b != (tenancy.Budget{Max: 10, Used: 10}) || b.State() != tenancy.BudgetFull || len(views[0].Isolations) != 3 {
		t.Errorf("%+v", views[0])
	}
	budgets, err := s.Budgets(w.ctx)
	if err != nil || budgets["default"].Used != 10 {
		t.Errorf("%v, %v", budgets, err)
	}
	for _, test := range []struct {
		cluster, isolation, want string
	}{
		{"", "collection", "namespace_budget_full"}, {"default", "database", "namespace_budget_full"},
		{"default", "", "default shared"}, {"", "shared", "default shared"},
	} {
		at, err := in(w.ctx, s, operator, func(i *tenancy.CreateInput) { i.Cluster, i.Isolation = test.cluster, app.Isolation(test.isolation) })
		if err != nil {
			at = codeOf(err)
		}
		if at != test.want || err != nil && (!errors.Is(err, app.ErrConflict) || !strings.Contains(err.Error(), "clusters.default.max_namespaces")) {
			t.Errorf("asked for %q %q: %s, %v", test.cluster, test.isolation, at, err)
		}
	}
	// Somebody leaves.
	page, err := s.List(w.ctx, operator, tenancy.ListInput{Isolation: "collection"})
	w.ok(err)
	_, err = s.Delete(w.ctx, operator, string(page.Items[0].ID), app.AnyRevision)
	w.ok(err)
	fresh := w.serve(tenancy.Config{Clusters: []string{"default"}})
	if at, err := in(w.ctx, fresh, anonymous, nil); err != nil || at != "default collection" {
		t.Errorf("after one left: %s, %v", at, err)
	}
}

func TestBudgetOfSeveralClusters(t *testing.T) {
	w := newTown(t, "a", "b")
	w.limit("a", 1)
	w.limit("b", 2, app.IsolationCollection)
	s := w.serve(tenancy.Config{Clusters: []string{"a", "b"}})
	got := map[string]int{}
	for range 5 {
		at, err := in(w.ctx, s, anonymous, nil)
		w.ok(err)
		got[at]++
	}
	// b does not allow shared ones.
	if got["a collection"] != 1 || got["b collection"] != 2 || got["a shared"] != 2 {
		t.Errorf("they went to %v", got)
	}
	strict := w.serve(tenancy.Config{Clusters: []string{"b"}})
	_, err := in(w.ctx, strict, anonymous, nil)
	if codeOf(err) != "namespaces_used_up" || !errors.Is(err, app.ErrUnavailable) {
		t.Errorf("with no room and nothing to share: %v", err)
	}
	if w.logged.count("max_namespaces is used up") != 1 {
		t.Errorf("the log does not say why:\n%s", w.logged.text.String())
	}
	_, err = in(w.ctx, strict, operator, func(i *tenancy.CreateInput) { i.Cluster, i.Isolation = "b", app.IsolationShared })
	w.wantCode(err, "isolation_not_allowed")
	w.tidyRegistry()
}

// tidyRegistry fails where something was left half done.
func (w *town) tidyRegistry() {
	w.t.Helper()
	open, err := w.registry.ListOperations(w.ctx, app.OperationQuery{States: app.OpenStates(), Limit: 1})
	if err != nil || len(open) > 0 {
		w.t.Errorf("operations are open: %v, %v", open, err)
	}
}

// One server never goes beyond the budget; two go beyond it by one at most.
func TestBudgetAtOnce(t *testing.T) {
	const most = 10
	for servers := 1; servers <= 2; servers++ {
		t.Run(fmt.Sprint(servers), func(t *testing.T) {
			w := newTown(t, "default")
			w.limit("default", most)
			var all []*tenancy.Service
			for range servers {
				all = append(all, w.serve(tenancy.Config{Clusters: []string{"default"}}))
			}
			for _, err := range atOnce(3*most, func(i int) error {
				_, err := in(w.ctx, all[i%servers], anonymous, nil)
				return err
			}) {
				w.ok(err)
			}
			n, err := w.house.registry.CountOrganizations(w.ctx, app.OrganizationQuery{Isolation: app.IsolationCollection})
			w.ok(err)
			if n < most || n > most+int64(servers)-1 {
				t.Errorf("%d of %d namespaces are used", n, most)
			}
		})
	}
}

// An organization on its way takes room where it goes to and, until that is
// dropped, where it came from.
func TestBudgetOfMoves(t *testing.T) {
	w := newTown(t, "a", "b")
	w.limit("a", 2)
	w.limit("b", 2)
	s := w.serve(tenancy.Config{Clusters: []string{"a"}})
	used := func() (int64, int64) {
		views, err := s.Clusters(w.ctx, operator)
		w.ok(err)
		return views[0].Budget.Used, views[1].Budget.Used
	}
	org, err := s.Create(w.ctx, anonymous, input("Mover"))
	w.ok(err)
	target := org.Placement
	target.Cluster, target.Generation = "b", 2
	at := app.Now()
	op := app.Operation{ID: app.NewID[app.OperationID](), Kind: app.OperationRelocate, OrganizationID: org.ID, State: app.OperationRunning,
		Placement: org.Placement, CreatedAt: at, UpdatedAt: at,
		Relocation: &app.Relocation{Source: org.Placement, Target: target, Phase: app.RelocationCopying, Generation: 2, PhaseAt: at}}
	w.ok(w.registry.BeginRelocation(w.ctx, op))
	if a, b := used(); a != 1 || b != 1 {
		t.Errorf("on its way: %d and %d are used", a, b)
	}
	_, err = in(w.ctx, s, operator, func(i *tenancy.CreateInput) { i.Cluster, i.Isolation = "b", app.IsolationCollection })
	w.ok(err)
	full := w.serve(tenancy.Config{Clusters: []string{"b"}})
	if where, err := in(w.ctx, full, anonymous, nil); err != nil || where != "b shared" {
		t.Errorf("beside the one on its way: %s, %v", where, err)
	}
	w.ok(w.registry.EndRelocation(w.ctx, op, app.OperationFailed, "why", app.Now()))
	if a, b := used(); a != 1 || b != 1 {
		t.Errorf("given up: %d and %d are used", a, b)
	}
}

// What the engine does for real: the last namespaces, then shared ones, each
// with its documents.
func TestBudgetOnFiles(t *testing.T) {
	w := newTown(t)
	w.places["default"] = tenancy.Place{Cluster: w.cluster, Isolations: app.Isolations(), MaxNamespaces: 1}
	s := w.serve(tenancy.Config{Clusters: []string{"default"}})
	for _, want := range []app.Isolation{app.IsolationCollection, app.IsolationShared, app.IsolationShared} {
		org, err := s.Create(w.ctx, anonymous, input(fmt.Sprintf("Org %d", named.Add(1))))
		w.ok(err)
		at, err := s.Placement(w.ctx, operator, string(org.ID))
		if err != nil || at.Isolation != want {
			t.Errorf("it is %s, want %s; %v", at.Isolation, want, err)
		}
	}
}

func TestDoctorOfBudgets(t *testing.T) {
	w := newTown(t, "default")
	w.limit("default", 5)
	s := w.serve(tenancy.Config{Clusters: []string{"default"}})
	low := func() (found string) {
		findings, err := s.Doctor(w.ctx, operator, false)
		w.ok(err)
		for _, f := range findings {
			if f.Kind == tenancy.FindingNamespacesLow {
				found = f.Detail
			}
		}
		return found
	}
	for range 3 {
		_, err := in(w.ctx, s, anonymous, nil)
		w.ok(err)
	}
	if found := low(); found != "" {
		t.Errorf("at 60%%: %s", found)
	}
	_, err := in(w.ctx, s, anonymous, nil)
	w.ok(err)
	if found := low(); !strings.Contains(found, "4 of the 5") {
		t.Errorf("at 80%%: %q", found)
	}
}
