package storagetest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tenantry/app"
)

// modelOfCluster does what comes to mind, in any order, to a cluster and to a
// model of one in memory, and opens the cluster again now and then: both give
// the same answers.
func modelOfCluster(t *testing.T, place func(t *testing.T) (open func() app.Cluster)) {
	t.Run("Model/SameAnswersAsAMap", func(t *testing.T) {
		t.Parallel()
		rapid.Check(t, func(r *rapid.T) {
			open := place(t)
			m := &clusterModel{open: open, real: open(), held: map[app.OrganizationID]*heldNamespace{}}
			defer func() {
				if err := m.real.Close(); err != nil {
					r.Errorf("close: %v", err)
				}
			}()
			for _, slug := range modelSlugs {
				id := app.NewID[app.OrganizationID]()
				p, err := m.real.Locate(id, slug, app.IsolationCollection)
				if err != nil {
					r.Fatal(err)
				}
				m.orgs = append(m.orgs, app.Namespace{Organization: id, Placement: p})
			}
			r.Repeat(map[string]func(*rapid.T){
				"provision": m.provision, "rename": m.rename, "drop": m.drop, "insert": m.insert,
				"update": m.update, "replace": m.replace, "delete": m.delete, "reopen": m.reopen, "": m.compare,
			})
		})
	})
}

var modelSlugs = []string{"acme", "bolt", "carl"}

type clusterModel struct {
	open func() app.Cluster
	real app.Cluster
	orgs []app.Namespace // as they were first placed
	held map[app.OrganizationID]*heldNamespace
}

type heldNamespace struct {
	database, collection string
	documents            map[app.DocumentID]app.Document
}

func (m *clusterModel) org(r *rapid.T) app.Namespace {
	return m.orgs[rapid.IntRange(0, len(m.orgs)-1).Draw(r, "organization")]
}

func drawCollection(r *rapid.T) string {
	return app.CollectionName(rapid.SampledFrom(modelSlugs).Draw(r, "name"))
}

func drawDocumentID(r *rapid.T) app.DocumentID {
	return app.DocumentID(rapid.SampledFrom([]string{"a", "A", "b-1", "doc"}).Draw(r, "id"))
}

func drawDocument(r *rapid.T, id app.DocumentID) app.Document {
	return newDocument(id, rapid.SampledFrom([]string{"note", "task"}).Draw(r, "type"),
		fmt.Sprintf(`{"n":%d}`, rapid.IntRange(0, 9).Draw(r, "n")))
}

// takenBy reports whether another organization has the name where this one is.
func (m *clusterModel) takenBy(ns app.Namespace, collection string) bool {
	for id, h := range m.held {
		if id != ns.Organization && h.database == ns.Placement.Database && h.collection == collection {
			return true
		}
	}
	return false
}

func (m *clusterModel) provision(r *rapid.T) {
	ns := m.org(r)
	ns.Placement.Collection = drawCollection(r)
	err := m.real.Provision(r.Context(), ns)
	switch {
	case m.held[ns.Organization] != nil:
		answers(r, err, nil)
	case m.takenBy(ns, ns.Placement.Collection):
		answers(r, err, app.Taken(app.ConflictCollection))
	default:
		answers(r, err, nil)
		m.held[ns.Organization] = &heldNamespace{ns.Placement.Database, ns.Placement.Collection, map[app.DocumentID]app.Document{}}
	}
}

func (m *clusterModel) rename(r *rapid.T) {
	ns, name := m.org(r), drawCollection(r)
	err := m.real.Rename(r.Context(), ns, name, rapid.Int64Range(1, 9).Draw(r, "generation"))
	switch h := m.held[ns.Organization]; {
	case h == nil:
		answers(r, err, app.ErrNotFound)
	case m.takenBy(ns, name):
		answers(r, err, app.Taken(app.ConflictCollection))
	default:
		answers(r, err, nil)
		h.collection = name
	}
}

func (m *clusterModel) drop(r *rapid.T) {
	ns := m.org(r)
	answers(r, m.real.Drop(r.Context(), ns), nil)
	delete(m.held, ns.Organization)
}

func (m *clusterModel) insert(r *rapid.T) {
	ns := m.org(r)
	d := drawDocument(r, drawDocumentID(r))
	err := m.real.InsertDocument(r.Context(), ns, d)
	h := m.held[ns.Organization]
	if h == nil {
		answers(r, err, app.ErrNotFound)
		return
	}
	if _, there := h.documents[d.ID]; there {
		answers(r, err, app.Taken(app.ConflictDocumentID))
		return
	}
	answers(r, err, nil)
	h.documents[d.ID] = d
}

// expected answers what a write to a document that expects a revision must be
// answered, with the document.
func (m *clusterModel) expected(ns app.Namespace, id app.DocumentID, revision int64) (app.Document, error) {
	h := m.held[ns.Organization]
	if h == nil {
		return app.Document{}, app.ErrNotFound
	}
	d, there := h.documents[id]
	switch {
	case !there:
		return app.Document{}, app.ErrNotFound
	case revision != app.AnyRevision && revision != d.Revision:
		return app.Document{}, app.ErrStale
	}
	return d, nil
}

func drawRevision(r *rapid.T) int64 {
	return rapid.SampledFrom([]int64{app.AnyRevision, 1, 2, 3}).Draw(r, "revision")
}

func (m *clusterModel) update(r *rapid.T) {
	ns, id, revision := m.org(r), drawDocumentID(r), drawRevision(r)
	next := drawDocument(r, id)
	refusal := errors.New("no")
	refuse := rapid.Bool().Draw(r, "refuse")
	got, err := m.real.UpdateDocument(r.Context(), ns, id, revision, func(d *app.Document) error {
		d.Type, d.Data, d.UpdatedAt = next.Type, next.Data, next.UpdatedAt
		if refuse {
			return refusal
		}
		return nil
	})
	want, wantErr := m.expected(ns, id, revision)
	if wantErr == nil && refuse {
		wantErr = refusal
	}
	answers(r, err, wantErr)
	if wantErr != nil {
		return
	}
	want.Type, want.Data, want.UpdatedAt, want.Revision = next.Type, next.Data, next.UpdatedAt, want.Revision+1
	sameAs(r, "the updated document", got, want)
	m.held[ns.Organization].documents[id] = want
}

func (m *clusterModel) replace(r *rapid.T) {
	ns, id, revision := m.org(r), drawDocumentID(r), drawRevision(r)
	next := drawDocument(r, id)
	replacement := app.Replacement{Data: next.Data, At: beginning.Add(time.Duration(rapid.IntRange(-3, 3).Draw(r, "hours")) * time.Hour)}
	if rapid.Bool().Draw(r, "another type") {
		replacement.Type = next.Type
	}
	got, err := m.real.ReplaceDocument(r.Context(), ns, id, revision, replacement)
	want, wantErr := m.expected(ns, id, revision)
	answers(r, err, wantErr)
	if wantErr != nil {
		return
	}
	want.Data, want.Revision, want.UpdatedAt = next.Data, want.Revision+1, app.Later(replacement.At, want.UpdatedAt)
	if replacement.Type != "" {
		want.Type = replacement.Type
	}
	sameAs(r, "the replaced document", got, want)
	m.held[ns.Organization].documents[id] = want
}

func (m *clusterModel) delete(r *rapid.T) {
	ns, id, revision := m.org(r), drawDocumentID(r), drawRevision(r)
	_, wantErr := m.expected(ns, id, revision)
	answers(r, m.real.DeleteDocument(r.Context(), ns, id, revision), wantErr)
	if wantErr == nil {
		delete(m.held[ns.Organization].documents, id)
	}
}

func (m *clusterModel) reopen(r *rapid.T) {
	answers(r, m.real.Close(), nil)
	m.real = m.open()
}

// compare reads everything of everybody.
func (m *clusterModel) compare(r *rapid.T) {
	for _, ns := range m.orgs {
		list, err := m.real.ListDocuments(r.Context(), ns, app.DocumentQuery{Limit: 100})
		h := m.held[ns.Organization]
		if h == nil {
			answers(r, err, app.ErrNotFound)
			continue
		}
		answers(r, err, nil)
		want := []app.Document{}
		for _, d := range h.documents {
			want = append(want, d)
			got, err := m.real.Document(r.Context(), ns, d.ID)
			answers(r, err, nil)
			sameAs(r, "a document", got, d)
		}
		slices.SortFunc(want, func(a, b app.Document) int { return strings.Compare(string(a.ID), string(b.ID)) })
		if len(list) > 0 || len(want) > 0 {
			sameAs(r, "the documents", list, want)
		}
		stats, err := m.real.Stats(r.Context(), ns)
		answers(r, err, nil)
		sameAs(r, "the number of documents", stats.Documents, int64(len(want)))
	}
}

// answers checks an error as callers do: by its kind, and the field that is
// taken.
func answers(r *rapid.T, got, want error) {
	r.Helper()
	var gotTaken, wantTaken *app.TakenError
	if errors.As(want, &wantTaken) {
		if !errors.As(got, &gotTaken) || gotTaken.Field != wantTaken.Field {
			r.Fatalf("answered %v, the model says %v", got, want)
		}
		return
	}
	if !errors.Is(got, want) {
		r.Fatalf("answered %v, the model says %v", got, want)
	}
}

func sameAs(r *rapid.T, what string, got, want any) {
	r.Helper()
	if !reflect.DeepEqual(got, want) {
		r.Fatalf("%s:\n got %+v\nthe model says %+v", what, got, want)
	}
}
