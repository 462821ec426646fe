package web

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"tenantry/app"
	"tenantry/app/sqlite"
	"tenantry/app/tenancy"
)

func relocating(set func(*tenancy.Config)) func(*settings) {
	return func(s *settings) {
		s.tenancy = func(c *tenancy.Config) {
			c.Relocation.Grace = time.Hour
			if set != nil {
				set(c)
			}
		}
	}
}

func TestRelocate(t *testing.T) {
	w := newWorld(t, relocating(nil))
	o := w.tenant()
	doc := w.document(o, `{"a":1}`)
	here := "/v1/organizations/" + o.slug
	relocate := here + "/relocate"

	dry := w.do("POST", relocate, w.operator, `{"isolation":"database","dry_run":true}`)
	w.expect(dry, 200, "")
	if dry.field("dry_run") != "true" || dry.field("id") != "" || dry.field("relocation.total.documents") != "1" ||
		dry.field("relocation.source.isolation") != "collection" || dry.field("relocation.target.isolation") != "database" {
		t.Error("a dry run:", dry)
	}
	if got := w.do("GET", here+"/placement", w.operator, nil); got.field("isolation") != "collection" || got.field("generation") != "1" {
		t.Error("after a dry run:", got)
	}

	moved := w.do("POST", relocate, w.operator, `{"isolation":"database"}`)
	w.expect(moved, 200, "")
	if moved.field("state") != "switched" || moved.field("relocation.copied.documents") != "1" || moved.field("relocation.verified.documents") != "1" ||
		moved.field("relocation.revertible") != "true" || moved.field("due_at") == "" || moved.field("relocation.cutovers") != "1" {
		t.Error("moved:", moved)
	}
	at := "/v1/operations/" + moved.field("id")
	if again := w.do("POST", relocate, w.operator, `{"isolation":"database"}`); again.status != 409 { // it is there
		t.Error("the same again:", again)
	}
	w.expect(w.do("POST", relocate, w.operator, `{"isolation":"shared"}`), 409, "relocation_in_progress")
	w.expect(w.do("POST", at+"/cancel", w.operator, nil), 409, "operation_not_cancellable")
	w.expect(w.do("PUT", doc, o.token, `{"data":{"a":2}}`), 200, "")
	if got := w.do("GET", "/v1/operations/"+moved.field("id"), o.token, nil); got.field("state") != "switched" || got.field("error") != "" {
		t.Error("as its owner sees it:", got)
	}

	back := w.do("POST", at+"/revert", w.operator, nil)
	w.expect(back, 200, "")
	if back.field("state") != "reverted" {
		t.Error("taken back:", back)
	}
	if got := w.do("GET", doc, o.token, nil); got.field("data.a") != "2" || got.field("revision") != "2" {
		t.Error("what was written at the new place:", got)
	}
	if list := w.do("GET", "/v1/operations?kind=relocate&state=reverted", w.operator, nil); list.field("items.0.id") != moved.field("id") {
		t.Error("listed:", list)
	}
	for _, act := range []string{"/revert", "/complete", "/cancel"} {
		w.expect(w.do("POST", at+act, w.operator, nil), 409, "operation_ended")
	}

	moved = w.do("POST", relocate, w.operator, `{"isolation":"shared"}`)
	w.expect(moved, 200, "")
	done := w.do("POST", "/v1/operations/"+moved.field("id")+"/complete", w.operator, nil)
	w.expect(done, 200, "")
	if done.field("state") != "completed" || done.field("progress.done") != done.field("progress.total") {
		t.Error("completed:", done)
	}
	placed := w.do("GET", here+"/placement", w.operator, nil)
	if placed.field("isolation") != "shared" || placed.field("collection") != "shared" || placed.field("documents") != "1" {
		t.Error("placement:", placed)
	}
	if got := w.do("GET", doc, o.token, nil); got.field("data.a") != "2" {
		t.Error("after all:", got)
	}
	if found := w.do("POST", "/v1/doctor", w.operator, `{}`); found.field("findings.0.kind") != "" {
		t.Error("the doctor finds", found)
	}
}

func TestRelocateIsRefused(t *testing.T) {
	w := newWorld(t, relocating(nil))
	o := w.tenant()
	relocate := "/v1/organizations/" + o.slug + "/relocate"
	w.expect(w.do("POST", relocate, w.operator, `{"cluster":"nowhere"}`), 422, "invalid")
	w.expect(w.do("POST", relocate, w.operator, `{"isolation":"none"}`), 422, "invalid")
	w.expect(w.do("POST", relocate, w.operator, `{"isolation":"collection"}`), 409, "already_there")
	w.expect(w.do("POST", relocate, w.operator, `{}`), 409, "already_there")
	w.expect(w.do("POST", relocate, w.operator, `{`), 400, "body_not_json")
	w.expect(w.do("POST", relocate, o.token, `{"isolation":"shared"}`), 403, "operator_only")
	w.expect(w.do("POST", "/v1/organizations/nobody/relocate", w.operator, `{"isolation":"shared"}`), 404, "organization_not_found")
	created := w.do("GET", "/v1/operations?kind=create", w.operator, nil).field("items.0.id")
	w.expect(w.do("POST", "/v1/operations/"+created+"/revert", w.operator, nil), 409, "operation_ended")
	w.expect(w.do("POST", "/v1/operations/0190a3f0-0000-7000-8000-000000000000/revert", w.operator, nil), 404, "operation_not_found")
	w.expect(w.do("POST", "/v1/operations/0190a3f0-0000-7000-8000-000000000000/complete", w.operator, nil), 404, "operation_not_found")
}

// What takes longer than a request waits is answered 202, and can be cancelled.
func TestRelocationGoesOn(t *testing.T) {
	w := newWorld(t, relocating(func(c *tenancy.Config) {
		c.OperationWait = 3 * time.Second
		c.Relocation.DocumentsPerSecond = 1
	}))
	o := w.tenant()
	for i := range 40 {
		w.put(o, "d"+strconv.Itoa(i))
	}
	here := "/v1/organizations/" + o.slug
	a := w.do("POST", here+"/relocate", w.operator, `{"isolation":"shared"}`)
	w.expect(a, 202, "")
	if a.header.Get("Location") != "/v1/operations/"+a.field("id") {
		t.Error("the answer:", a)
	}
	at := "/v1/operations/" + a.field("id")
	if again := w.do("POST", here+"/relocate", w.operator, `{"isolation":"shared"}`); again.status != 202 || again.field("id") != a.field("id") {
		t.Error("the same again:", again)
	}
	w.expect(w.do("POST", here+"/relocate", w.operator, `{"isolation":"database"}`), 409, "relocation_in_progress")
	w.expect(w.do("POST", at+"/revert", w.operator, nil), 409, "relocation_not_switched")
	w.expect(w.do("PATCH", here, w.operator, `{"slug":"another-name"}`), 409, "relocation_in_progress")
	w.expect(w.do("DELETE", here, w.operator, nil), 409, "relocation_in_progress")
	w.expect(w.do("PATCH", here, w.operator, `{"name":"Other","slug":"`+o.slug+`","external_id":"x"}`), 200, "")
	w.eventually(func() bool {
		op := w.do("GET", at, w.operator, nil)
		return op.field("state") == "copying" && op.field("rate") != "" && op.field("estimate") != "" && op.field("progress.total") == "80"
	})
	w.expect(w.do("POST", at+"/cancel", w.operator, nil), 200, "")
	w.eventually(func() bool { return w.do("GET", at, w.operator, nil).field("state") == "cancelled" })
	w.expect(w.do("POST", here+"/documents", o.token, `{"type":"t","data":{}}`), 201, "")
	if got := w.do("GET", here+"/placement", w.operator, nil); got.field("isolation") != "collection" || got.field("documents") != "41" {
		t.Error("placement:", got)
	}
	w.expect(w.do("DELETE", here, w.operator, nil), 204, "")
}

// slowDrop removes nothing until it may.
type slowDrop struct {
	*sqlite.Cluster
	may chan struct{}
}

func (s slowDrop) Drop(ctx context.Context, ns app.Namespace) error {
	select {
	case <-s.may:
	case <-ctx.Done():
	}
	return s.Cluster.Drop(ctx, ns)
}

func TestTheEndOfARelocationGoesOn(t *testing.T) {
	may := make(chan struct{})
	w := newWorld(t, relocating(func(c *tenancy.Config) { c.OperationWait = 3 * time.Second }), func(s *settings) {
		s.cluster = func(c app.Cluster) app.Cluster { return slowDrop{c.(*sqlite.Cluster), may} }
	})
	var ending []string
	for _, act := range []string{"/complete", "/revert"} {
		relocate := "/v1/organizations/" + w.tenant().slug + "/relocate"
		at := "/v1/operations/" + w.do("POST", relocate, w.operator, `{"isolation":"shared"}`).field("id")
		w.eventually(func() bool { return w.do("GET", at, w.operator, nil).field("relocation.revertible") == "true" })
		a := w.do("POST", at+act, w.operator, nil)
		w.expect(a, 202, "")
		if a.header.Get("Location") != at {
			t.Error("the answer:", a)
		}
		w.expect(w.do("POST", at+act, w.operator, nil), 409, "relocation_not_switched")
		ending = append(ending, at)
	}
	close(may)
	for i, state := range []string{"completed", "reverted"} {
		w.eventually(func() bool { return w.do("GET", ending[i], w.operator, nil).field("state") == state })
	}
}

// A change that needs the organization ends the grace period of a relocation.
func TestRenamingCompletesARelocation(t *testing.T) {
	w := newWorld(t, relocating(nil))
	o := w.tenant()
	doc := w.document(o, `{"a":1}`)
	here := "/v1/organizations/" + o.id
	for _, isolation := range []string{"shared", "database", "collection"} {
		moved := w.do("POST", here+"/relocate", w.operator, `{"isolation":"`+isolation+`"}`)
		w.expect(moved, 200, "")
		renamed := w.do("PATCH", here, o.token, `{"slug":"in-`+isolation+`"}`)
		w.expect(renamed, 200, "")
		if got := w.do("GET", "/v1/operations/"+moved.field("id"), w.operator, nil); got.field("state") != "completed" {
			t.Error("the relocation after the rename:", got)
		}
		if got := w.do("GET", strings.Replace(doc, o.slug, "in-"+isolation, 1), o.token, nil); got.field("data.a") != "1" {
			t.Error("the document:", got)
		}
	}
	w.expect(w.do("POST", here+"/relocate", w.operator, `{"isolation":"shared"}`), 200, "")
	w.expect(w.do("DELETE", here, o.token, nil), 204, "")
	if found := w.do("POST", "/v1/doctor", w.operator, `{}`); found.field("findings.0.kind") != "" {
		t.Error("the doctor finds", found)
	}
}
