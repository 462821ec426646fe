package storagetest

import (
	"fmt"
	"strings"
	"testing"

	"tenantry/app"
)

func inserting(s clusterSuite) {
	s.test("InsertDocument/RoundTripsEveryField", func(t *testing.T, k *kingdom) {
		ns := k.provision("acme")
		for i, data := range []string{
			`{}`, `{"b":1,"a":2}`, `{"n":1.0,"m":1e400,"k":12345678901234567890,"z":-0}`,
			`{"":null,"$x":1,"a.b":{"c.d":[]},"deep":{"er":{"est":[[[1]]]}}}`,
			`{"ü":"\u0000 \ud83d\ude80 🚀","quote":"'\"%_"}`, `{"big":"` + strings.Repeat("0123456789abcdef", 60_000) + `"}`,
		} {
			d := newDocument(app.DocumentID(fmt.Sprintf("doc-%d", i)), "type of 'x'", data)
			d.Revision = int64(i + 1)
			must(t, k.InsertDocument(k.ctx, ns, d))
			equal(t, "document", k.document(ns, d.ID), d) // byte for byte
		}
	})

	s.test("InsertDocument/ATakenIDChangesNothing", func(t *testing.T, k *kingdom) {
		ns := k.provision("acme")
		d := k.insert(ns, "one", "note", `{"n":1}`)
		taken(t, k.InsertDocument(k.ctx, ns, newDocument("one", "other", `{"n":2}`)), app.ConflictDocumentID)
		equal(t, "documents", k.all(ns), []app.Document{d})
	})

	s.test("InsertDocument/CaseDistinctIDsAreTwo", func(t *testing.T, k *kingdom) {
		ns := k.provision("acme")
		var want []app.Document
		for _, id := range []app.DocumentID{"-1", "0", "00", "1", "1.0", "ABC", "Abc", "abc", "abc~"} {
			want = append(want, k.insert(ns, id, "note", `{"id":"`+string(id)+`"}`))
		}
		equal(t, "documents", k.all(ns), want)
		for _, d := range want {
			equal(t, "document", k.document(ns, d.ID), d)
		}
		_, err := k.Document(k.ctx, ns, "aBC")
		is(t, err, app.ErrNotFound)
	})

	s.test("InsertDocument/ConcurrentTakersOneWins", func(t *testing.T, k *kingdom) {
		ns := k.provision("acme")
		winner := oneWinner(t, race(16, func(i int) error {
			return k.InsertDocument(k.ctx, ns, newDocument("prize", "note", fmt.Sprintf(`{"writer":%d}`, i)))
		}), app.ErrConflict)
		equal(t, "data", string(k.document(ns, "prize").Data), fmt.Sprintf(`{"writer":%d}`, winner))
	})

	s.test("InsertDocument/ManyAtOnceAllThere", func(t *testing.T, k *kingdom) {
		a, b := k.provision("acme"), k.provision("bolt")
		for _, err := range race(64, func(i int) error {
			ns := a
			if i%2 == 1 {
				ns = b
			}
			return k.InsertDocument(k.ctx, ns, newDocument(app.DocumentID(fmt.Sprintf("d-%02d", i/2)), "note", fmt.Sprintf(`{"i":%d}`, i)))
		}) {
			must(t, err)
		}
		for rest, ns := range []app.Namespace{a, b} {
			list := k.all(ns)
			equal(t, "number of documents", len(list), 32)
			for j, d := range list {
				equal(t, "data", string(d.Data), fmt.Sprintf(`{"i":%d}`, 2*j+rest))
			}
		}
	})

	s.test("Document/UnknownIsNotFound", func(t *testing.T, k *kingdom) {
		ns := k.provision("acme")
		k.insert(ns, "mine", "note", `{}`)
		for _, id := range []app.DocumentID{"", "min", "mine2", "a", "doc", "%", "m_ne"} { // "a" and "doc" are the neighbour's
			_, err := k.Document(k.ctx, ns, id)
			is(t, err, app.ErrNotFound)
		}
	})

	s.test("Document/OfNoNamespaceIsNotFound", func(t *testing.T, k *kingdom) {
		k.missing(k.locate("never"))
		// Knowing the neighbour's placement does not help: the id decides.
		k.missing(app.Namespace{Organization: app.NewID[app.OrganizationID](), Placement: k.neighbour.Placement})
	})
}

func removing(s clusterSuite) {
	s.test("DeleteDocument/RemovesOneAlone", func(t *testing.T, k *kingdom) {
		ns := k.provision("acme")
		k.insert(ns, "a", "note", `{}`)
		b := k.insert(ns, "b", "note", `{}`)
		must(t, k.DeleteDocument(k.ctx, ns, "a", app.AnyRevision))
		equal(t, "documents", k.all(ns), []app.Document{b})
		must(t, k.DeleteDocument(k.ctx, ns, "b", b.Revision))
		equal(t, "documents", k.all(ns), []app.Document{})
	})

	s.test("DeleteDocument/UnknownIsNotFound", func(t *testing.T, k *kingdom) {
		ns := k.provision("acme")
		is(t, k.DeleteDocument(k.ctx, ns, "a", app.AnyRevision), app.ErrNotFound)
		is(t, k.DeleteDocument(k.ctx, ns, "a", 1), app.ErrNotFound)
	})

	s.test("DeleteDocument/StaleRemovesNothing", func(t *testing.T, k *kingdom) {
		ns := k.provision("acme")
		d := k.insert(ns, "a", "note", `{}`)
		is(t, k.DeleteDocument(k.ctx, ns, "a", d.Revision+1), app.ErrStale)
		is(t, k.DeleteDocument(k.ctx, ns, "a", -1), app.ErrStale)
		equal(t, "documents", k.all(ns), []app.Document{d})
	})

	s.test("DeleteDocument/TheIDIsFreeAgain", func(t *testing.T, k *kingdom) {
		ns := k.provision("acme")
		k.insert(ns, "a", "note", `{"n":1}`)
		must(t, k.DeleteDocument(k.ctx, ns, "a", app.AnyRevision))
		d := k.insert(ns, "a", "task", `{"n":2}`)
		equal(t, "documents", k.all(ns), []app.Document{d})
	})

	s.test("DeleteDocument/ConcurrentDeletersOneWins", func(t *testing.T, k *kingdom) {
		ns := k.provision("acme")
		k.insert(ns, "a", "note", `{}`)
		oneWinner(t, race(16, func(int) error { return k.DeleteDocument(k.ctx, ns, "a", 1) }), app.ErrNotFound)
	})
}
