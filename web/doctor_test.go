package web

import (
	"context"
	"testing"

	"tenantry/app"
	"tenantry/app/tenancy"
)

// findings gives what the doctor finds, by kind.
func (w *world) findings(repair bool) map[string]answer {
	w.t.Helper()
	a := w.do("POST", "/v1/doctor", w.operator, map[string]any{"repair": repair})
	w.expect(a, 200, "")
	found := map[string]answer{}
	for i := range 10 {
		path := "findings." + string(rune('0'+i))
		if kind := a.field(path + ".kind"); kind != "" {
			found[kind] = answer{body: []byte(a.field(path))}
		}
	}
	return found
}

func TestDoctor(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	namespace := func(o tenant) app.Namespace {
		org, err := w.core.registry.Organization(ctx, app.OrganizationID(o.id))
		must(err)
		return app.Namespace{Organization: org.ID, Placement: org.Placement}
	}
	lost, renamed := w.tenant(), w.tenant()
	at := w.document(renamed, `{"a":1}`)
	w.expect(w.do("POST", "/v1/doctor", lost.token, map[string]any{}), 403, "operator_only")
	if found := w.findings(true); len(found) != 0 {
		t.Fatalf("in good health the doctor finds %v", found)
	}

	must(w.core.cluster.Drop(ctx, namespace(lost)))
	ns := namespace(renamed)
	must(w.core.cluster.Rename(ctx, ns, "org_elsewhere", 7))
	orphan := func(slug string) app.Namespace {
		id := app.NewID[app.OrganizationID]()
		p, err := w.core.cluster.Locate(id, slug, app.IsolationCollection)
		must(err)
		ns := app.Namespace{Organization: id, Placement: p}
		must(w.core.cluster.Provision(ctx, ns))
		return ns
	}
	empty := orphan("empty")
	for _, repair := range []bool{false, true} {
		found := w.findings(repair)
		want := map[string]string{tenancy.FindingMissing: "false", tenancy.FindingMisnamed: "false", tenancy.FindingOrphan: "false"}
		if repair {
			want[tenancy.FindingMisnamed], want[tenancy.FindingOrphan] = "true", "true"
		}
		for kind, repaired := range want {
			if f := found[kind]; f.field("repaired") != repaired {
				t.Errorf("repair %v: %s is %s", repair, kind, f.body)
			}
		}
		if len(found) != len(want) {
			t.Errorf("repair %v: found %v", repair, found)
		}
		if got := found[tenancy.FindingMissing].field("organization_id"); got != lost.id {
			t.Errorf("missing is %s, not %s", got, lost.id)
		}
	}
	if _, err := w.core.cluster.Stats(ctx, empty); err == nil {
		t.Error("the empty orphan is still there")
	}
	w.expect(w.do("GET", at, renamed.token, nil), 200, "")
	if found := w.findings(false); len(found) != 1 {
		t.Errorf("after the repair: %v", found)
	}

	// What has documents in it is not removed.
	full := orphan("full")
	must(w.core.cluster.InsertDocument(ctx, full, app.Document{ID: "d", Type: "note", Revision: 1,
		CreatedAt: app.Now(), UpdatedAt: app.Now(), Data: []byte(`{}`)}))
	if f := w.findings(true)[tenancy.FindingOrphan]; f.field("repaired") != "false" {
		t.Errorf("an orphan with a document: %s", f.body)
	}
	if stats, err := w.core.cluster.Stats(ctx, full); err != nil || stats.Documents != 1 {
		t.Errorf("the orphan's document is gone: %v, %v", stats, err)
	}
}
