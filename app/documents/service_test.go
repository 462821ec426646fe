package documents_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"tenantry/app"
	"tenantry/app/documents"
	"tenantry/app/tenancy"
)

func TestLifeOfADocument(t *testing.T) {
	w := newWorld(t)
	o := w.acme
	d := w.create(o, "", ` { "z" : 1.10, "a" : "\u00e9\u0000" } `)
	if !app.IsID(string(d.ID)) || d.Revision != 1 || d.Type != "note" || d.CreatedAt.IsZero() || !d.CreatedAt.Equal(d.UpdatedAt) ||
		string(d.Data) != `{"z":1.10,"a":"\u00e9\u0000"}` {
		t.Errorf("created %+v", d)
	}
	got, err := w.Get(w.ctx, o.owner, o.slug, string(d.ID))
	if err != nil || !reflect.DeepEqual(got, d) {
		t.Errorf("got %+v, %v", got, err)
	}
	typ := "letter"
	put, err := w.Put(w.ctx, o.owner, o.slug, string(d.ID), documents.PutInput{Data: []byte(`{"b":{"c":1},"d":2}`), Type: &typ, IfRevision: 1})
	if err != nil || put.Revision != 2 || put.Type != "letter" || !put.CreatedAt.Equal(d.CreatedAt) || put.UpdatedAt.Before(d.UpdatedAt) {
		t.Errorf("put %+v, %v", put, err)
	}
	patched, err := w.Patch(w.ctx, o.owner, o.slug, string(d.ID), documents.PatchInput{Patch: []byte(`{ "b" : {"c":null,"e":3}, "d":null }`), IfRevision: 2})
	if err != nil || patched.Revision != 3 || patched.Type != "letter" || string(patched.Data) != `{"b":{"e":3}}` {
		t.Errorf("patched %+v %s, %v", patched, patched.Data, err)
	}
	w.has(o, string(d.ID), `{"b":{"e":3}}`, 3)
	w.ok(w.Delete(w.ctx, o.owner, o.slug, string(d.ID), 3))
	for name, err := range w.everyAct(o.owner, o.slug, string(d.ID)) {
		if name == "create" || name == "list" {
			w.ok(err)
			continue
		}
		w.wantCode(err, app.ErrNotFound, "document_not_found")
	}
	// An id that is free again begins anew.
	again := w.create(o, string(d.ID)+"-2", "{}")
	w.ok(w.Delete(w.ctx, o.owner, o.slug, string(again.ID), app.AnyRevision))
	if again = w.create(o, string(again.ID), "{}"); again.Revision != 1 {
		t.Errorf("%+v", again)
	}
}

// everyAct does each act once.
func (w *world) everyAct(actor app.Actor, org, id string) map[string]error {
	data := []byte(`{"mine":true}`)
	out := map[string]error{}
	_, out["get"] = w.Get(w.ctx, actor, org, id)
	_, out["list"] = w.List(w.ctx, actor, org, documents.ListInput{})
	_, out["put"] = w.Put(w.ctx, actor, org, id, documents.PutInput{Data: data})
	_, out["patch"] = w.Patch(w.ctx, actor, org, id, documents.PatchInput{Patch: data})
	out["delete"] = w.Delete(w.ctx, actor, org, id, app.AnyRevision)
	_, out["create"] = w.Create(w.ctx, actor, org, documents.CreateInput{Type: "note", Data: data})
	return out
}

// TestOthersDocuments: somebody else's organization is none, and the same id
// in two organizations is two documents.
func TestOthersDocuments(t *testing.T) {
	w := newWorld(t)
	mine := w.create(w.acme, "same", `{"of":"acme"}`)
	w.create(w.other, "same", `{"of":"other"}`)
	w.create(w.other, "theirs", `{"of":"other"}`)
	orgID := string(w.other.owner.OrganizationID)
	for _, org := range []string{w.other.slug, orgID, "unknown", string(app.NewID[app.OrganizationID]())} {
		for name, err := range w.everyAct(w.acme.owner, org, "same") {
			if t.Run(name, func(t *testing.T) { w.wantCode(err, app.ErrNotFound, "organization_not_found") }); t.Failed() {
				t.Fatal(org)
			}
		}
	}
	for name, err := range w.everyAct(app.Actor{}, w.other.slug, "same") {
		if !errors.Is(err, app.ErrUnauthenticated) {
			t.Errorf("anonymous, %s: %v", name, err)
		}
	}
	for name, err := range w.everyAct(app.Actor{Kind: app.AsOperator}, w.other.slug, "same") {
		if !errors.Is(err, app.ErrForbidden) {
			t.Errorf("an operator, %s: %v", name, err)
		}
	}
	_, err := w.Get(w.ctx, w.acme.owner, w.acme.slug, "theirs")
	w.wantCode(err, app.ErrNotFound, "document_not_found")
	w.has(w.acme, "same", string(mine.Data), 1)
	w.has(w.other, "same", `{"of":"other"}`, 1)
	w.ok(w.Delete(w.ctx, w.acme.owner, w.acme.slug, "same", app.AnyRevision))
	w.has(w.other, "same", `{"of":"other"}`, 1)
}

func TestSuspendedAndDeleted(t *testing.T) {
	w := newWorld(t)
	operator := app.Actor{Kind: app.AsOperator}
	w.create(w.acme, "a", "{}")
	_, err := w.tenancy.Suspend(w.ctx, operator, "acme")
	w.ok(err)
	for name, err := range w.everyAct(w.acme.owner, w.acme.slug, "a") {
		if !errors.Is(err, app.ErrForbidden) {
			t.Errorf("suspended, %s: %v", name, err)
		}
	}
	_, err = w.tenancy.Resume(w.ctx, operator, "acme")
	w.ok(err)
	w.has(w.acme, "a", "{}", 1)
	_, err = w.tenancy.Delete(w.ctx, operator, "acme", app.AnyRevision)
	w.ok(err)
	for name, err := range w.everyAct(w.acme.owner, w.acme.slug, "a") {
		if !errors.Is(err, app.ErrNotFound) {
			t.Errorf("deleted, %s: %v", name, err)
		}
	}
}

func TestDocumentIDs(t *testing.T) {
	w := newWorld(t)
	for _, id := range []string{"a", "A", "0", "-", "_", "~", "...", ".a", "a.b-c_d~e", strings.Repeat("x", 128), string(app.NewID[app.DocumentID]()), "NULL", "--"} {
		w.create(w.acme, id, fmt.Sprintf(`{"id":%q}`, id))
	}
	w.has(w.acme, "a", `{"id":"a"}`, 1) // ids differ by case
	w.has(w.acme, "A", `{"id":"A"}`, 1)
	_, err := w.Create(w.ctx, w.acme.owner, w.acme.slug, documents.CreateInput{ID: "a", Type: "other", Data: []byte("{}")})
	w.wantCode(err, app.ErrConflict, "document_id_taken")
	w.has(w.acme, "a", `{"id":"a"}`, 1)
	for _, id := range []string{".", "..", "a/b", "a b", "ä", "a\x00", "a\n", "%41", "a'", "$a", strings.Repeat("x", 129), "é", "a\u200b"} {
		_, err := w.Create(w.ctx, w.acme.owner, w.acme.slug, documents.CreateInput{ID: id, Type: "note", Data: []byte("{}")})
		w.wantCode(err, app.ErrInvalid, "invalid_document_id")
		// What can be nobody's id is simply not there.
		_, err = w.Get(w.ctx, w.acme.owner, w.acme.slug, id)
		w.wantCode(err, app.ErrNotFound, "document_not_found")
		w.wantCode(w.Delete(w.ctx, w.acme.owner, w.acme.slug, id, app.AnyRevision), app.ErrNotFound, "document_not_found")
	}
}

func TestTypes(t *testing.T) {
	w := newWorld(t)
	for i, typ := range []string{"a", "Note.v2", "a_b-c", strings.Repeat("t", 64)} {
		d, err := w.Create(w.ctx, w.acme.owner, w.acme.slug, documents.CreateInput{ID: fmt.Sprint(i), Type: typ, Data: []byte("{}")})
		if err != nil || d.Type != typ {
			t.Errorf("%q: %+v, %v", typ, d, err)
		}
	}
	for _, typ := range []string{"", "a b", "ä", "a/b", "$t", "a\x00", "~", strings.Repeat("t", 65)} {
		_, err := w.Create(w.ctx, w.acme.owner, w.acme.slug, documents.CreateInput{Type: typ, Data: []byte("{}")})
		w.wantCode(err, app.ErrInvalid, "invalid_type")
		_, err = w.Put(w.ctx, w.acme.owner, w.acme.slug, "0", documents.PutInput{Type: &typ, Data: []byte("{}")})
		w.wantCode(err, app.ErrInvalid, "invalid_type")
	}
	w.has(w.acme, "0", "{}", 1)
}

// TestWhatIsRefusedChangesNothing has bad data by every way in.
func TestWhatIsRefusedChangesNothing(t *testing.T) {
	w := newWorld(t)
	o := w.acme
	deep := func(n int) string { return strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n) }
	w.create(o, "a", deep(90))
	refused := map[string]struct{ data, code string }{
		"duplicate": {`{"a":1,"a":2}`, "invalid_json"}, "list": {`[]`, "not_an_object"}, "number": {`{"a":1e400}`, "number_out_of_range"},
		"bytes": {"{\"a\":\"\xff\"}", "invalid_json"}, "deep": {deep(91), "too_deep"}, "nothing": {"", "not_an_object"},
	}
	for name, r := range refused {
		t.Run(name, func(*testing.T) {
			_, err := w.Create(w.ctx, o.owner, o.slug, documents.CreateInput{ID: "b", Type: "note", Data: []byte(r.data)})
			w.wantCode(err, app.ErrInvalid, r.code)
			_, err = w.Put(w.ctx, o.owner, o.slug, "a", documents.PutInput{Data: []byte(r.data)})
			w.wantCode(err, app.ErrInvalid, r.code)
			_, err = w.Patch(w.ctx, o.owner, o.slug, "a", documents.PatchInput{Patch: []byte(r.data)})
			w.wantCode(err, app.ErrInvalid, r.code)
		})
	}
	// Neither is too deep, and the two together are.
	_, err := w.Patch(w.ctx, o.owner, o.slug, "a", documents.PatchInput{Patch: []byte(strings.Replace(deep(90), "1", "[1]", 1))})
	w.wantCode(err, app.ErrInvalid, "too_deep")
	w.has(o, "a", deep(90), 1)
	_, err = w.Get(w.ctx, o.owner, o.slug, "b")
	w.wantCode(err, app.ErrNotFound, "document_not_found")
}

func TestSizeOfADocument(t *testing.T) {
	w := newWorld(t)
	o := w.acme
	sized := func(n int) string { return `{"a":"` + strings.Repeat("x", n-8) + `"}` }
	w.create(o, "largest", strings.Repeat(" ", 1000)+sized(documents.MaxData)) // white space does not count
	over := []byte(sized(documents.MaxData + 1))
	_, err := w.Create(w.ctx, o.owner, o.slug, documents.CreateInput{ID: "over", Type: "note", Data: over})
	w.wantCode(err, app.ErrTooLarge, "document_too_large")
	_, err = w.Put(w.ctx, o.owner, o.slug, "largest", documents.PutInput{Data: over})
	w.wantCode(err, app.ErrTooLarge, "document_too_large")
	_, err = w.Patch(w.ctx, o.owner, o.slug, "largest", documents.PatchInput{Patch: []byte(`{"b":1}`)})
	w.wantCode(err, app.ErrTooLarge, "document_too_large")
	w.has(o, "largest", sized(documents.MaxData), 1)
	_, err = w.Patch(w.ctx, o.owner, o.slug, "largest", documents.PatchInput{Patch: []byte(`{"a":null,"b":1}`)})
	w.ok(err)
	w.has(o, "largest", `{"b":1}`, 2)
}

// TestASlugThatMovedOn: a slug that went to somebody else leads to their
// documents alone.
func TestASlugThatMovedOn(t *testing.T) {
	w := newWorld(t)
	w.create(w.acme, "a", `{"of":"the first"}`)
	name := "elsewhere"
	_, err := w.tenancy.Update(w.ctx, w.acme.owner, "acme", tenancy.UpdateInput{Name: &name})
	w.ok(err)
	next := w.tenant("acme")
	_, err = w.Get(w.ctx, next.owner, "acme", "a")
	w.wantCode(err, app.ErrNotFound, "document_not_found")
	_, err = w.Get(w.ctx, w.acme.owner, "acme", "a")
	w.wantCode(err, app.ErrNotFound, "organization_not_found")
	w.has(tenant{"elsewhere", w.acme.owner}, "a", `{"of":"the first"}`, 1)
}
