package web

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tenantry/app"
	"tenantry/app/sqlite"
	"tenantry/app/tenancy"
)

// folders opens clusters that are added, in folders. Package appliance has the
// one that knows all the rest.
type folders struct {
	registry app.Registry
	first    app.Cluster // of the name "default"
	folder   string
	log      *slog.Logger
	clusters *tenancy.Clusters

	mu   sync.Mutex
	open map[string]app.Cluster
}

func keep(registry app.Registry, first app.Cluster, folder string, log *slog.Logger) (*tenancy.Clusters, *folders) {
	k := &folders{registry: registry, first: first, folder: folder, log: log, open: map[string]app.Cluster{}}
	k.clusters = tenancy.Unlimited(map[string]app.Cluster{"default": first}).Kept(k)
	return k.clusters, k
}

func (k *folders) Prepare(ctx context.Context, in tenancy.AddClusterInput) (app.AddedCluster, app.Site, error) {
	added := app.AddedCluster{Name: in.Name, Sealed: []byte(in.URL), Shards: 1, Isolations: app.Isolations(), MaxNamespaces: in.MaxNamespaces}
	dir, isFolder := strings.CutPrefix(in.URL, "sqlite:")
	if !isFolder {
		return added, app.Site{}, app.Invalid("url", "invalid_url", "It must be a folder.")
	}
	site, err := sqlite.Look(ctx, filepath.Join(k.folder, dir), in.Name, sqlite.ClusterOptions{})
	return added, site, err
}

func (k *folders) Refresh(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	list, err := k.registry.AddedClusters(ctx)
	if err != nil {
		return err
	}
	places := map[string]tenancy.Place{"default": {Cluster: k.first, Isolations: app.Isolations()}}
	for _, a := range list {
		if len(a.Sealed) == 0 {
			places[a.Name] = tenancy.Place{Cluster: k.first, Isolations: app.Isolations(), Closing: a.Closing, Instead: a.Instead}
			continue
		}
		if k.open[a.Name] == nil {
			dir := filepath.Join(k.folder, strings.TrimPrefix(string(a.Sealed), "sqlite:"))
			opened, err := sqlite.OpenCluster(context.WithoutCancel(ctx), dir, a.Name, sqlite.ClusterOptions{Shards: a.Shards, Logger: k.log})
			if err != nil {
				return err
			}
			k.open[a.Name] = opened
		}
		places[a.Name] = tenancy.Place{Cluster: k.open[a.Name], Isolations: a.Isolations, MaxNamespaces: a.MaxNamespaces,
			Sealed: a.Sealed, Closing: a.Closing, Instead: a.Instead}
	}
	k.clusters.Set(places, nil)
	return nil
}

func (k *folders) Close() error {
	var errs []error
	for _, c := range k.open {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

func TestAddCluster(t *testing.T) {
	w := newWorld(t)
	const clusters = "/v1/clusters"
	dry := w.do("POST", clusters, w.operator, `{"name":"more","url":"sqlite:a-place","max_namespaces":7,"dry_run":true}`)
	w.expect(dry, 200, "")
	if dry.field("dry_run") != "true" || dry.field("origin") != "added" || dry.field("budget.max_namespaces") != "7" || dry.field("engine") != "sqlite" {
		t.Error("a dry run:", dry)
	}
	if list := w.do("GET", clusters, w.operator, nil); list.field("items.1.name") != "" {
		t.Error("after a dry run:", list)
	}
	made := w.do("POST", clusters, w.operator, `{"name":"more","url":"sqlite:a-place","max_namespaces":7}`)
	w.expect(made, 201, "")
	if made.field("status") != "ok" || made.field("state") != "open" || made.field("namespaces") != "0" || made.header.Get("Location") != clusters {
		t.Error("added:", made)
	}
	for _, body := range []string{`{"name":"more","url":"sqlite:other"}`, `{"name":"more","url":"sqlite:other","dry_run":true}`} {
		w.expect(w.do("POST", clusters, w.operator, body), 409, "cluster_name_taken")
	}
	list := w.do("GET", clusters, w.operator, nil)
	if list.field("items.0.origin") != "configuration" || list.field("items.1.name") != "more" || list.field("items.1.origin") != "added" {
		t.Error("the list:", list)
	}
	for _, a := range []answer{dry, made, list} {
		if strings.Contains(string(a.body), "a-place") {
			t.Error("the URL is shown:", a)
		}
	}
	w.expect(w.do("POST", clusters, w.operator, `{"name":"worse","url":"mongodb://u:geheim@h/","isolations":["collection"]}`), 422, "invalid")
	wrong := w.do("POST", clusters, w.operator, `{"name":"worse","url":"mongodb://u:geheim@h/","isolations":["none"]}`)
	w.expect(wrong, 422, "invalid")
	if wrong.field("errors.0.location") != "isolations.0" && wrong.field("errors.0.location") != "isolations[0]" {
		t.Error("an isolation that there is not:", wrong)
	}
	w.expect(w.do("POST", clusters, w.operator, `{"name":"more"}`), 422, "invalid")
	if strings.Contains(w.log.String(), "geheim") {
		t.Error("the password is in the log")
	}

	o := w.do("POST", "/v1/organizations", w.operator, `{"name":"There","owner":{"email":"there@x.example","password":"correct-horse-battery"},"placement":{"cluster":"more"}}`)
	w.expect(o, 201, "")
	if at := w.do("GET", "/v1/organizations/there/placement", w.operator, nil); at.field("cluster") != "more" {
		t.Error("placed there:", at)
	}
}

func TestRemoveCluster(t *testing.T) {
	w := newWorld(t, relocating(nil))
	const clusters = "/v1/clusters"
	w.expect(w.do("POST", clusters, w.operator, `{"name":"more","url":"sqlite:a-place"}`), 201, "")
	w.expect(w.do("DELETE", clusters+"/default", w.operator, nil), 409, "cluster_configured")
	w.expect(w.do("DELETE", clusters+"/none?dry_run=true", w.operator, nil), 404, "cluster_not_found")
	o := w.tenant()
	moved := w.do("POST", "/v1/organizations/"+o.slug+"/relocate", w.operator, `{"cluster":"more"}`)
	w.expect(moved, 200, "")
	for _, query := range []string{"", "?dry_run=true"} {
		a := w.do("DELETE", clusters+"/more"+query, w.operator, nil)
		w.expect(a, 409, "cluster_inhabited")
		if detail := a.field("detail"); !strings.Contains(detail, "lived in by 1 organizations, 0 of which") || !strings.Contains(detail, "1 relocations") {
			t.Error("somebody lives there:", a)
		}
	}
	if list := w.do("GET", clusters, w.operator, nil); list.field("items.1.state") != "open" {
		t.Error("after a refused removal:", list)
	}
	back := w.do("POST", "/v1/organizations/"+o.slug+"/relocate", w.operator, `{"cluster":"default"}`)
	w.expect(back, 409, "relocation_in_progress")
	w.expect(w.do("POST", "/v1/operations/"+moved.field("id")+"/complete", w.operator, nil), 200, "")
	back = w.do("POST", "/v1/organizations/"+o.slug+"/relocate", w.operator, `{"cluster":"default"}`)
	w.expect(back, 200, "")
	a := w.do("DELETE", clusters+"/more", w.operator, nil)
	w.expect(a, 409, "cluster_inhabited")
	if !strings.Contains(a.field("detail"), "operation complete") {
		t.Error("somebody may come back:", a)
	}
	w.expect(w.do("POST", "/v1/operations/"+back.field("id")+"/complete", w.operator, nil), 200, "")
	dry := w.do("DELETE", clusters+"/more?dry_run=true", w.operator, nil)
	w.expect(dry, 200, "")
	if dry.field("dry_run") != "true" || dry.field("name") != "more" {
		t.Error("a dry run:", dry)
	}
	w.expect(w.do("DELETE", clusters+"/more", w.operator, nil), 200, "")
	w.expect(w.do("DELETE", clusters+"/more", w.operator, nil), 404, "cluster_not_found")
	if list := w.do("GET", clusters, w.operator, nil); list.field("items.1.name") != "" {
		t.Error("after its removal:", list)
	}
	w.expect(w.do("POST", "/v1/organizations/"+o.slug+"/relocate", w.operator, `{"cluster":"more"}`), 422, "invalid")
	w.expect(w.do("POST", clusters, w.operator, `{"name":"more","url":"sqlite:b-place"}`), 201, "")
}

// A deleted organization that can be restored keeps its cluster.
func TestRemoveClusterOfADeletedOrganization(t *testing.T) {
	w := newWorld(t, func(s *settings) { s.tenancy = func(c *tenancy.Config) { c.DeletionRetention = time.Hour } })
	w.expect(w.do("POST", "/v1/clusters", w.operator, `{"name":"more","url":"sqlite:a-place"}`), 201, "")
	w.expect(w.do("POST", "/v1/organizations", w.operator,
		`{"name":"Kept","owner":{"email":"kept@x.example","password":"correct-horse-battery"},"placement":{"cluster":"more"}}`), 201, "")
	w.expect(w.do("DELETE", "/v1/organizations/kept", w.operator, nil), 202, "")
	a := w.do("DELETE", "/v1/clusters/more", w.operator, nil)
	w.expect(a, 409, "cluster_inhabited")
	if !strings.Contains(a.field("detail"), "1 deleted organizations") {
		t.Error(a)
	}
	w.expect(w.do("DELETE", "/v1/organizations/kept", w.operator, nil), 204, "")
	w.expect(w.do("DELETE", "/v1/clusters/more", w.operator, nil), 200, "")
}

func TestDrainCluster(t *testing.T) {
	w := newWorld(t, relocating(nil))
	const clusters = "/v1/clusters"
	w.expect(w.do("POST", clusters, w.operator, `{"name":"more","url":"sqlite:a-place"}`), 201, "")
	const drain = clusters + "/default/drain"
	w.expect(w.do("POST", clusters+"/none/drain", w.operator, `{}`), 404, "cluster_not_found")
	for _, to := range []string{"none", "default"} {
		w.expect(w.do("POST", drain, w.operator, `{"to":"`+to+`"}`), 422, "invalid")
	}
	var docs []string
	var orgs []tenant
	for range 5 {
		o := w.tenant()
		orgs, docs = append(orgs, o), append(docs, w.document(o, `{"a":1}`))
	}
	w.expect(w.do("POST", "/v1/organizations/"+orgs[1].slug+"/suspend", w.operator, nil), 200, "")

	// By the placement there is nowhere else.
	dry := w.do("POST", drain, w.operator, `{"dry_run":true}`)
	w.expect(dry, 200, "")
	if dry.field("drain.plan.stay") != "5" || !strings.Contains(dry.field("drain.plan.moves.0.reason"), "no other cluster") {
		t.Error("a dry run without a place to go:", dry)
	}
	stuck := w.do("POST", drain, w.operator, `{}`)
	w.expect(stuck, 200, "")
	if stuck.field("state") != "failed" || stuck.field("drain.left") != "5" || stuck.field("drain.failures") != "5" ||
		stuck.field("drain.failed.4.slug") != orgs[4].slug || !strings.Contains(stuck.field("drain.failed.0.reason"), "--to") {
		t.Error("without a place to go:", stuck)
	}
	if list := w.do("GET", clusters, w.operator, nil); list.field("items.0.state") != "closing" {
		t.Error("after it:", list)
	}
	w.expect(w.do("POST", "/v1/organizations", "", `{"name":"New","owner":{"email":"new@x.example","password":"correct-horse-battery"}}`), 503, "unavailable")
	w.expect(w.do("POST", "/v1/organizations/"+orgs[0].slug+"/relocate", w.operator, `{"cluster":"default","isolation":"shared"}`), 422, "invalid")
	opened := w.do("POST", clusters+"/default/open", w.operator, nil)
	w.expect(opened, 200, "")
	if opened.field("state") != "open" || opened.field("origin") != "configuration" {
		t.Error("opened:", opened)
	}
	w.expect(w.do("POST", clusters+"/none/open", w.operator, nil), 404, "cluster_not_found")

	dry = w.do("POST", drain, w.operator, `{"to":"more","dry_run":true}`)
	w.expect(dry, 200, "")
	if dry.field("drain.plan.targets.0.organizations") != "5" || dry.field("drain.plan.documents") != "5" || dry.field("estimate") == "" ||
		dry.field("drain.plan.moves.0.cluster") != "more" || dry.field("drain.plan.moves.0.size.documents") != "1" || dry.field("id") != "" {
		t.Error("a dry run:", dry)
	}
	done := w.do("POST", drain, w.operator, `{"to":"more"}`)
	w.expect(done, 200, "")
	if done.field("state") != "completed" || done.field("progress.done") != "5" || done.field("drain.left") != "0" || done.field("organization_id") != "" {
		t.Error("drained:", done)
	}
	if got := w.do("GET", "/v1/operations/"+done.field("id"), orgs[0].token, nil); got.status != 404 {
		t.Error("as an owner sees it:", got)
	}
	if list := w.do("GET", "/v1/operations?kind=drain&state=completed", w.operator, nil); list.field("items.0.id") != done.field("id") {
		t.Error("listed:", list)
	}
	for i, o := range orgs {
		if at := w.do("GET", "/v1/organizations/"+o.slug+"/placement", w.operator, nil); at.field("cluster") != "more" || at.field("documents") != "1" {
			t.Error("moved:", at)
		}
		if i != 1 {
			w.expect(w.do("GET", docs[i], o.token, nil), 200, "")
		}
	}
	// Whoever would come, goes there, too.
	w.expect(w.do("POST", "/v1/organizations", "", `{"name":"Newer","owner":{"email":"newer@x.example","password":"correct-horse-battery"}}`), 201, "")
	if at := w.do("GET", "/v1/organizations/newer/placement", w.operator, nil); at.field("cluster") != "more" {
		t.Error("a new one:", at)
	}
	// They are in their grace period there, and without it they go back.
	w.expect(w.do("POST", clusters+"/default/open", w.operator, nil), 200, "")
	back := w.do("POST", clusters+"/more/drain", w.operator, `{}`)
	w.expect(back, 200, "")
	if back.field("state") != "failed" || back.field("drain.left") != "5" || !strings.Contains(back.field("drain.failed.0.reason"), "--complete") {
		t.Error("back at once:", back)
	}
	back = w.do("POST", clusters+"/more/drain", w.operator, `{"complete":true}`)
	w.expect(back, 200, "")
	if back.field("state") != "completed" || back.field("drain.left") != "0" {
		t.Error("back without the grace period:", back)
	}
	w.expect(w.do("DELETE", clusters+"/more", w.operator, nil), 200, "")
}

// What takes longer goes on, and the same request is answered with it, until it is
// cancelled.
func TestDrainGoesOn(t *testing.T) {
	w := newWorld(t, relocating(func(c *tenancy.Config) {
		c.OperationWait, c.Relocation.DocumentsPerSecond = 10*time.Millisecond, 1
	}))
	const clusters = "/v1/clusters"
	w.expect(w.do("POST", clusters, w.operator, `{"name":"more","url":"sqlite:a-place"}`), 201, "")
	o := w.tenant()
	for range 60 {
		w.document(o, `{"a":1}`)
	}
	const drain = clusters + "/default/drain"
	began := w.do("POST", drain, w.operator, `{"to":"more"}`)
	w.expect(began, 202, "")
	at := "/v1/operations/" + began.field("id")
	if began.header.Get("Location") != at || began.field("drain.total") != "1" {
		t.Error("begun:", began)
	}
	again := w.do("POST", drain, w.operator, `{"to":"more"}`)
	w.expect(again, 202, "")
	if again.field("id") != began.field("id") {
		t.Error("the same again:", again)
	}
	w.expect(w.do("POST", drain, w.operator, `{}`), 409, "drain_in_progress")
	w.expect(w.do("POST", clusters+"/default/open", w.operator, nil), 409, "drain_in_progress")
	for _, act := range []string{"/complete", "/revert"} {
		w.expect(w.do("POST", at+act, w.operator, nil), 409, "not_a_relocation")
	}
	w.expect(w.do("POST", at+"/cancel", w.operator, nil), 200, "")
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		now := w.do("GET", at, w.operator, nil)
		if now.field("state") == "cancelled" {
			break
		}
		if time.Now().After(end) {
			t.Fatal("it is not cancelled:", now)
		}
	}
	if list := w.do("GET", clusters, w.operator, nil); list.field("items.0.state") != "open" {
		t.Error("after it:", list)
	}
	if place := w.do("GET", "/v1/organizations/"+o.slug+"/placement", w.operator, nil); place.field("cluster") != "default" {
		t.Error("on its way when it was cancelled:", place)
	}
}
