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
// the same answers. Organizations have a namespace of each isolation, as while
// they move from one to another.
func modelOfCluster(t *testing.T, place func(t *testing.T) (open func() app.Cluster), isolations []app.Isolation) {
	t.Run("Model/SameAnswersAsAMap", func(t *testing.T) {
		t.Parallel()
		rapid.Check(t, func(r *rapid.T) {
			open := place(t)
			m := &clusterModel{open: open, real: open(), held: map[namespaceKey]*heldNamespace{}}
			defer func() {
				if err := m.real.Close(); err != nil {
					r.Errorf("close: %v", err)
				}
			}()
			for _, slug := range modelSlugs {
				id := app.NewID[app.OrganizationID]()
				for _, isolation := range isolations {
					p, err := m.real.Locate(id, slug, isolation)
					if err != nil {
						r.Fatal(err)
					}
					m.places = append(m.places, app.Namespace{Organization: id, Placement: p})
				}
			}
			actions := map[string]func(*rapid.T){
				"provision": m.provision, "rename": m.rename, "drop": m.drop, "insert": m.insert,
				"update": m.update, "replace": m.replace, "delete": m.delete, "reopen": m.reopen, "": m.compare,
			}
			if m.moving() != nil {
				actions["receive"], actions["set phase"], actions["import"] = m.receive, m.setPhase, m.importDocuments
				actions["look at changes"], actions["settle"] = m.lookAtChanges, m.settle
			}
			r.Repeat(actions)
		})
	})
}

var modelSlugs = []string{"acme", "bolt", "carl"}

type clusterModel struct {
	open   func() app.Cluster
	real   app.Cluster
	places []app.Namespace // as they were first placed
	held   map[namespaceKey]*heldNamespace
}

// namespaceKey is what a namespace is known by.
type namespaceKey struct {
	organization app.OrganizationID
	isolation    app.Isolation
}

func keyOf(ns app.Namespace) namespaceKey {
	return namespaceKey{ns.Organization, ns.Placement.Isolation}
}

type heldNamespace struct {
	database, collection string
	generation           int64
	phase                app.NamespacePhase
	documents            map[app.DocumentID]app.Document
	// noted has, for each document that was touched, by which write.
	noted  map[app.DocumentID]int
	writes int
	// told is what Changes told last, and toldOf by which writes that was.
	told   []app.Change
	toldOf map[app.DocumentID]int
}

func hold(ns app.Namespace, phase app.NamespacePhase) *heldNamespace {
	return &heldNamespace{database: ns.Placement.Database, collection: ns.Placement.Collection, generation: ns.Placement.Generation,
		phase: phase, documents: map[app.DocumentID]app.Document{}, noted: map[app.DocumentID]int{}}
}

// touch notes a write, where the namespace is recording.
func (h *heldNamespace) touch(id app.DocumentID) {
	h.writes++
	if h.phase == app.PhaseRecording {
		h.noted[id] = h.writes
	}
}

func (m *clusterModel) namespace(r *rapid.T) app.Namespace {
	return m.places[rapid.IntRange(0, len(m.places)-1).Draw(r, "namespace")]
}

func drawCollection(r *rapid.T, isolation app.Isolation) string {
	return app.CollectionIn(isolation, rapid.SampledFrom(modelSlugs).Draw(r, "name"))
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
	if ns.Placement.Isolation != app.IsolationCollection {
		return false
	}
	for key, h := range m.held {
		if key.isolation == app.IsolationCollection && key.organization != ns.Organization &&
			h.database == ns.Placement.Database && h.collection == collection {
			return true
		}
	}
	return false
}

func (m *clusterModel) provision(r *rapid.T) {
	ns := m.namespace(r)
	ns.Placement.Collection = drawCollection(r, ns.Placement.Isolation)
	err := m.real.Provision(r.Context(), ns)
	switch {
	case m.held[keyOf(ns)] != nil:
		answers(r, err, nil)
	case m.takenBy(ns, ns.Placement.Collection):
		answers(r, err, app.Taken(app.ConflictCollection))
	default:
		answers(r, err, nil)
		m.held[keyOf(ns)] = hold(ns, app.PhaseOpen)
	}
}

func (m *clusterModel) rename(r *rapid.T) {
	ns := m.namespace(r)
	name := drawCollection(r, ns.Placement.Isolation)
	h := m.held[keyOf(ns)]
	if h != nil && h.phase != app.PhaseOpen {
		return // nobody renames what is being moved
	}
	generation := rapid.Int64Range(1, 9).Draw(r, "generation")
	err := m.real.Rename(r.Context(), ns, name, generation)
	switch {
	case h == nil:
		answers(r, err, app.ErrNotFound)
	case m.takenBy(ns, name):
		answers(r, err, app.Taken(app.ConflictCollection))
	default:
		answers(r, err, nil)
		h.collection, h.generation = name, generation
	}
}

// drawGeneration gives the namespace's own generation, one below or one above.
func drawGeneration(r *rapid.T, h *heldNamespace) int64 {
	if h == nil {
		return 1
	}
	return h.generation + rapid.Int64Range(-1, 1).Draw(r, "generation")
}

func (m *clusterModel) drop(r *rapid.T) {
	ns := m.namespace(r)
	h := m.held[keyOf(ns)]
	if h != nil && m.moving() == nil {
		ns.Placement.Generation = h.generation
	} else {
		ns.Placement.Generation = drawGeneration(r, h)
	}
	err := m.real.Drop(r.Context(), ns)
	if h != nil && ns.Placement.Generation < h.generation {
		answers(r, err, app.ErrStale)
		return
	}
	answers(r, err, nil)
	delete(m.held, keyOf(ns))
}

// refused checks the answer to a write that the phase refuses, and reports
// whether it does. While frozen, one that would be refused all the same may be
// told so.
func (h *heldNamespace) refused(r *rapid.T, got, otherwise error) bool {
	switch h.phase {
	case app.PhaseFrozen:
		if otherwise == nil || errors.Is(got, app.ErrFrozen) {
			answers(r, got, app.ErrFrozen)
			return true
		}
	case app.PhaseClosed:
		answers(r, got, app.ErrMoved)
		return true
	case app.PhaseOpen, app.PhaseRecording:
	}
	return false
}

func (m *clusterModel) insert(r *rapid.T) {
	ns := m.namespace(r)
	d := drawDocument(r, drawDocumentID(r))
	err := m.real.InsertDocument(r.Context(), ns, d)
	h := m.held[keyOf(ns)]
	if h == nil {
		answers(r, err, app.ErrNotFound)
		return
	}
	var want error
	if _, there := h.documents[d.ID]; there {
		want = app.Taken(app.ConflictDocumentID)
	}
	if h.refused(r, err, want) {
		return
	}
	answers(r, err, want)
	if want == nil {
		h.documents[d.ID] = d
		h.touch(d.ID)
	}
}

// expected answers what a write to a document that expects a revision must be
// answered, with the document.
func (m *clusterModel) expected(ns app.Namespace, id app.DocumentID, revision int64) (app.Document, error) {
	h := m.held[keyOf(ns)]
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

// wrote checks the answer to a write and reports whether it took effect.
func (m *clusterModel) wrote(r *rapid.T, ns app.Namespace, id app.DocumentID, got, want error) bool {
	h := m.held[keyOf(ns)]
	if h != nil && h.refused(r, got, want) {
		return false
	}
	answers(r, got, want)
	if want == nil {
		h.touch(id)
	}
	return want == nil
}

func drawRevision(r *rapid.T) int64 {
	return rapid.SampledFrom([]int64{app.AnyRevision, 1, 2, 3}).Draw(r, "revision")
}

func (m *clusterModel) update(r *rapid.T) {
	ns, id, revision := m.namespace(r), drawDocumentID(r), drawRevision(r)
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
	if !m.wrote(r, ns, id, err, wantErr) {
		return
	}
	want.Type, want.Data, want.UpdatedAt, want.Revision = next.Type, next.Data, next.UpdatedAt, want.Revision+1
	sameAs(r, "the updated document", got, want)
	m.held[keyOf(ns)].documents[id] = want
}

func (m *clusterModel) replace(r *rapid.T) {
	ns, id, revision := m.namespace(r), drawDocumentID(r), drawRevision(r)
	next := drawDocument(r, id)
	replacement := app.Replacement{Data: next.Data, At: beginning.Add(time.Duration(rapid.IntRange(-3, 3).Draw(r, "hours")) * time.Hour)}
	if rapid.Bool().Draw(r, "another type") {
		replacement.Type = next.Type
	}
	got, err := m.real.ReplaceDocument(r.Context(), ns, id, revision, replacement)
	want, wantErr := m.expected(ns, id, revision)
	if !m.wrote(r, ns, id, err, wantErr) {
		return
	}
	want.Data, want.Revision, want.UpdatedAt = next.Data, want.Revision+1, app.Later(replacement.At, want.UpdatedAt)
	if replacement.Type != "" {
		want.Type = replacement.Type
	}
	sameAs(r, "the replaced document", got, want)
	m.held[keyOf(ns)].documents[id] = want
}

func (m *clusterModel) delete(r *rapid.T) {
	ns, id, revision := m.namespace(r), drawDocumentID(r), drawRevision(r)
	_, wantErr := m.expected(ns, id, revision)
	if m.wrote(r, ns, id, m.real.DeleteDocument(r.Context(), ns, id, revision), wantErr) {
		delete(m.held[keyOf(ns)].documents, id)
	}
}

func (m *clusterModel) reopen(r *rapid.T) {
	answers(r, m.real.Close(), nil)
	m.real = m.open()
}

// compare reads everything of everybody.
func (m *clusterModel) compare(r *rapid.T) {
	for _, ns := range m.places {
		list, err := m.real.ListDocuments(r.Context(), ns, app.DocumentQuery{Limit: 100})
		h := m.held[keyOf(ns)]
		if h == nil {
			answers(r, err, app.ErrNotFound)
			continue
		}
		if m.moving() != nil {
			m.comparePhase(r, ns, h)
		}
		if h.phase == app.PhaseClosed {
			answers(r, err, app.ErrMoved)
			continue
		}
		answers(r, err, nil)
		want := h.sorted()
		for _, d := range want {
			got, err := m.real.Document(r.Context(), ns, d.ID)
			answers(r, err, nil)
			sameAs(r, "a document", got, d)
		}
		if len(list) > 0 || len(want) > 0 {
			sameAs(r, "the documents", list, want)
		}
		stats, err := m.real.Stats(r.Context(), ns)
		answers(r, err, nil)
		sameAs(r, "the number of documents", stats.Documents, int64(len(want)))
	}
}

func (h *heldNamespace) sorted() []app.Document {
	list := []app.Document{}
	for _, d := range h.documents {
		list = append(list, d)
	}
	slices.SortFunc(list, func(a, b app.Document) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return list
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
