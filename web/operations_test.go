package web

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tenantry/app"
	"tenantry/app/tenancy"
)

// faultyCluster refuses or holds what a test tells it to.
type faultyCluster struct {
	app.Cluster
	provision, rename, drop atomic.Pointer[func(context.Context) error]
}

func (f *faultyCluster) Rename(ctx context.Context, ns app.Namespace, collection string, generation int64) error {
	if fault := f.rename.Load(); fault != nil {
		if err := (*fault)(ctx); err != nil {
			return err
		}
	}
	return f.Cluster.Rename(ctx, ns, collection, generation)
}

func (f *faultyCluster) Provision(ctx context.Context, ns app.Namespace) error {
	if fault := f.provision.Load(); fault != nil {
		if err := (*fault)(ctx); err != nil {
			return err
		}
	}
	return f.Cluster.Provision(ctx, ns)
}

func (f *faultyCluster) Drop(ctx context.Context, ns app.Namespace) error {
	if fault := f.drop.Load(); fault != nil {
		if err := (*fault)(ctx); err != nil {
			return err
		}
	}
	return f.Cluster.Drop(ctx, ns)
}

func refuses(context.Context) error { return app.Unavailable("The cluster", errors.New("pulled plug")) }

func newFaultyWorld(t *testing.T, change ...func(*settings)) (*world, *faultyCluster) {
	faulty := &faultyCluster{}
	return newWorld(t, append(change, func(s *settings) {
		s.cluster = func(c app.Cluster) app.Cluster { faulty.Cluster = c; return faulty }
	})...), faulty
}

func set(at *atomic.Pointer[func(context.Context) error], fault func(context.Context) error) {
	at.Store(&fault)
}

func TestOperationsAreSeenByWhoMay(t *testing.T) {
	w := newWorld(t)
	mine, other := w.tenant(), w.tenant()
	list := w.do("GET", "/v1/operations", mine.token, nil)
	w.expect(list, 200, "")
	if list.field("items.0.organization_id") != mine.id || list.field("items.0.kind") != "create" ||
		list.field("items.0.state") != "completed" || list.field("items.0.progress.done") != "3" || list.field("items.1.id") != "" {
		t.Error("an owner sees", list)
	}
	id := list.field("items.0.id")
	w.expect(w.do("GET", "/v1/operations/"+id, mine.token, nil), 200, "")
	w.expect(w.do("GET", "/v1/operations/"+id, other.token, nil), 404, "operation_not_found")
	w.expect(w.do("GET", "/v1/operations?organization="+mine.slug, other.token, nil), 404, "organization_not_found")
	w.expect(w.do("GET", "/v1/operations/"+id, "", nil), 401, "token_required")
	w.expect(w.do("GET", "/v1/operations/no-id", w.operator, nil), 404, "operation_not_found")
	w.expect(w.do("GET", "/v1/operations", w.withRole(app.RoleMember).token, nil), 403, "role_insufficient")
	w.expect(w.do("POST", "/v1/operations/"+id+"/retry", mine.token, nil), 403, "operator_only")
	w.expect(w.do("POST", "/v1/operations/"+id+"/cancel", mine.token, nil), 403, "operator_only")
	w.expect(w.do("POST", "/v1/operations/"+id+"/retry", w.operator, nil), 409, "operation_ended")
	w.expect(w.do("POST", "/v1/operations/"+id+"/cancel", w.operator, nil), 409, "operation_ended")

	// In pages, without a gap and without a repetition.
	seen, cursor := map[string]bool{}, ""
	for {
		page := w.do("GET", "/v1/operations?limit=1"+cursor, w.operator, nil)
		if id := page.field("items.0.id"); id == "" || seen[id] {
			t.Fatal("a page without anything new:", page)
		} else {
			seen[id] = true
		}
		if page.field("next_cursor") == "" {
			break
		}
		cursor = "&cursor=" + page.field("next_cursor")
	}
	if len(seen) != 3 { // two tenants and a member's organization
		t.Errorf("%d operations in pages", len(seen))
	}
	w.expect(w.do("GET", "/v1/operations?cursor=x", w.operator, nil), 422, "invalid")
	for _, act := range []string{"/retry", "/cancel"} {
		w.expect(w.do("POST", "/v1/operations/"+app.NewID[string]()+act, w.operator, nil), 404, "operation_not_found")
	}
	w.expect(w.do("POST", "/v1/organizations/nobody/restore", w.operator, nil), 404, "organization_not_found")
	w.expect(w.do("POST", "/v1/doctor", w.operator, `{`), 400, "body_not_json")
	w.expect(w.do("POST", "/v1/doctor", w.operator, `{"repair":1}`), 422, "invalid")
}

func TestRefusedCreationIsUndoneAndTold(t *testing.T) {
	w, cluster := newFaultyWorld(t)
	set(&cluster.provision, refuses)
	body := map[string]any{"name": "Acme", "owner": map[string]string{"email": "a@acme.example", "password": "correct-horse-battery"}}
	w.expect(w.do("POST", "/v1/organizations", "", body), 503, "unavailable")
	list := w.do("GET", "/v1/operations?state=failed", w.operator, nil)
	if list.field("items.0.kind") != "create" || !strings.Contains(list.field("items.0.error"), "pulled plug") {
		t.Error("the failed creation:", list)
	}
	cluster.provision.Store(nil)
	w.expect(w.do("POST", "/v1/organizations", "", body), 201, "")
}

func TestDeletionThatIsRefusedGoesOn(t *testing.T) {
	w, cluster := newFaultyWorld(t)
	o := w.tenant()
	set(&cluster.drop, refuses)
	a := w.do("DELETE", "/v1/organizations/"+o.slug, o.token, nil)
	w.expect(a, 202, "")
	if a.field("state") != "running" || a.header.Get("Location") != "/v1/operations/"+a.field("id") || a.field("error") != "" {
		t.Error("the answer:", a)
	}
	at := a.header.Get("Location")
	w.expect(w.do("GET", "/v1/me", o.token, nil), 401, "session_ended")
	retried := w.do("POST", at+"/retry", w.operator, nil)
	w.expect(retried, 200, "")
	if retried.field("state") != "running" || retried.field("attempts") != "2" || retried.field("step") != "drop" || retried.field("progress.done") != "1" {
		t.Error("refused again:", retried)
	}
	w.expect(w.do("POST", at+"/cancel", w.operator, nil), 409, "operation_not_cancellable")
	found := w.do("POST", "/v1/doctor", w.operator, map[string]any{})
	if found.field("findings.0.kind") != tenancy.FindingStuck || found.field("findings.0.operation_id") != a.field("id") {
		t.Error("the doctor finds", found)
	}
	cluster.drop.Store(nil)
	found = w.do("POST", "/v1/doctor", w.operator, map[string]any{"repair": true})
	if found.field("findings.0.repaired") != "true" {
		t.Error("the doctor mends", found)
	}
	if done := w.do("GET", at, w.operator, nil); done.field("state") != "completed" || done.field("progress.done") != "3" {
		t.Error("at the end:", done)
	}
}

// Whoever waits no longer than operation_wait is told where to look.
func TestLongOperationIsAnswered202(t *testing.T) {
	w, cluster := newFaultyWorld(t, func(s *settings) {
		s.tenancy = func(c *tenancy.Config) { c.OperationWait = time.Millisecond }
	})
	release := make(chan struct{})
	set(&cluster.provision, func(context.Context) error { <-release; return nil })
	defer func() {
		select {
		case <-release:
		default:
			close(release)
		}
	}()
	a := w.do("POST", "/v1/organizations", "", map[string]any{
		"name": "Slow", "owner": map[string]string{"email": "slow@acme.example", "password": "correct-horse-battery"}})
	w.expect(a, 202, "")
	if a.field("kind") != "create" || a.field("state") != "running" {
		t.Fatal("the answer:", a)
	}
	// Somebody works on it: it can neither be cancelled nor worked on twice.
	w.expect(w.do("POST", a.header.Get("Location")+"/cancel", w.operator, nil), 409, "operation_not_cancellable")
	if retried := w.do("POST", a.header.Get("Location")+"/retry", w.operator, nil); retried.field("state") != "running" {
		t.Error("retried while it runs:", retried)
	}
	seed := w.do("POST", "/org/create", "", map[string]string{
		"organization_name": "Slower", "email": "slower@acme.example", "password": "correct-horse-battery"})
	w.expect(seed, 202, "")
	close(release)
	for _, a := range []answer{a, seed} {
		w.eventually(func() bool {
			return w.do("GET", a.header.Get("Location"), w.operator, nil).field("state") == "completed"
		})
	}
	w.expect(w.do("GET", "/v1/organizations/slow", w.operator, nil), 200, "")

	hold := make(chan struct{})
	set(&cluster.rename, func(context.Context) error { <-hold; return nil })
	renamed := w.do("PATCH", "/v1/organizations/slow", w.operator, `{"name":"Still slow"}`)
	w.expect(renamed, 202, "")
	token := w.do("POST", "/v1/auth/login", "", map[string]string{"email": "slower@acme.example", "password": "correct-horse-battery"}).field("access_token")
	seed = w.do("PUT", "/org/update", token, map[string]string{"organization_name": "Still slower"})
	w.expect(seed, 202, "")
	// Until it is done the old name is in force, and a second change waits.
	w.expect(w.do("GET", "/v1/organizations/slow", w.operator, nil), 200, "")
	w.expect(w.do("PATCH", "/v1/organizations/slow", w.operator, `{"name":"Slowest"}`), 409, "change_in_progress")
	close(hold)
	for _, a := range []answer{renamed, seed} {
		w.eventually(func() bool {
			return w.do("GET", a.header.Get("Location"), w.operator, nil).field("state") == "completed"
		})
	}
	w.expect(w.do("GET", "/v1/organizations/still-slow", w.operator, nil), 200, "")
	w.expect(w.do("GET", "/v1/organizations/still-slower", w.operator, nil), 200, "")
	w.expect(w.do("GET", "/v1/organizations/slow", w.operator, nil), 404, "organization_not_found")
}

func (w *world) eventually(f func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !f(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.t.Fatal("it never came true")
		}
	}
}

// A stuck creation that somebody gives up ends as cancelled, and its names are
// free.
func TestCancelStuckCreation(t *testing.T) {
	w, cluster := newFaultyWorld(t)
	set(&cluster.provision, refuses)
	set(&cluster.drop, refuses)
	body := map[string]any{"name": "Acme", "owner": map[string]string{"email": "a@acme.example", "password": "correct-horse-battery"}}
	w.expect(w.do("POST", "/v1/organizations", "", body), 503, "unavailable")
	stuck := w.do("GET", "/v1/operations?state=running", w.operator, nil)
	if stuck.field("items.0.undoing") != "true" {
		t.Fatal("the stuck creation:", stuck)
	}
	at := "/v1/operations/" + stuck.field("items.0.id")
	w.expect(w.do("POST", "/v1/organizations", "", body), http.StatusConflict, "organization_name_taken")
	cluster.provision.Store(nil)
	cluster.drop.Store(nil)
	w.expect(w.do("POST", at+"/cancel", w.operator, nil), 200, "")
	// It had failed before somebody gave it up, and that is what it says.
	if ended := w.do("GET", at, w.operator, nil); ended.field("state") != "failed" {
		t.Error("at the end:", ended)
	}
	w.expect(w.do("POST", "/v1/organizations", "", body), 201, "")
}

func TestClusters(t *testing.T) {
	w := newWorld(t)
	o := w.tenant()
	w.document(o, `{"a":1}`)
	w.expect(w.do("GET", "/v1/clusters", o.token, nil), 403, "operator_only")
	w.expect(w.do("GET", "/v1/clusters", "", nil), 401, "token_required")
	a := w.do("GET", "/v1/clusters", w.operator, nil)
	w.expect(a, 200, "")
	for field, want := range map[string]string{"name": "default", "status": "ok", "engine": "sqlite", "organizations": "1",
		"namespaces": "1", "documents": "1", "capabilities.transactions": "true"} {
		if got := a.field("items.0." + field); got != want {
			t.Errorf("%s is %s, not %s: %v", field, got, want, a)
		}
	}
}
