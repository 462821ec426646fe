package storagetest

import (
	"context"
	"testing"
	"time"

	"tenantry/app"
)

// Cluster tests a cluster with namespaces of each isolation. open makes a new,
// empty one for each test and closes it with t.Cleanup.
func Cluster(t *testing.T, open func(t *testing.T) app.Cluster, isolations ...app.Isolation) {
	for _, isolation := range isolations {
		t.Run(string(isolation), func(t *testing.T) {
			s := clusterSuite{t: t, open: open, isolation: isolation}
			placing(s)
			provisioning(s)
			renamingNamespaces(s)
			droppingNamespaces(s)
			measuring(s)
			counting(s)
			inserting(s)
			updating(s)
			replacing(s)
			removing(s)
			listingDocuments(s)
			crafting(s)
			crossing(s)
			renamingUnderLoad(s)
			interruptingDocuments(s)
		})
	}
}

// ClusterReopen tests what must outlive the process. place makes a new, empty
// place for a cluster and returns what opens the cluster there; it is called
// again after the one before was closed.
func ClusterReopen(t *testing.T, place func(t *testing.T) (open func() app.Cluster), isolations ...app.Isolation) {
	for _, isolation := range isolations {
		reopeningCluster(t, place, isolation)
	}
	modelOfCluster(t, place, isolations)
}

type clusterSuite struct {
	t         *testing.T
	open      func(t *testing.T) app.Cluster
	isolation app.Isolation
}

// namesAreTaken: two namespaces of the isolation in one database cannot have
// one name.
func (s clusterSuite) namesAreTaken() bool { return s.isolation == app.IsolationCollection }

// test runs f, beside other tests, on a cluster of its own that already has a
// neighbour in it.
func (s clusterSuite) test(name string, f func(t *testing.T, k *kingdom)) {
	s.t.Run(name, func(t *testing.T) {
		t.Parallel()
		k := &kingdom{Cluster: s.open(t), isolation: s.isolation, t: t, ctx: context.Background()}
		k.settle()
		t.Cleanup(k.neighbourIsUntouched)
		f(t, k)
	})
}

// kingdom is a cluster with organizations in it.
type kingdom struct {
	app.Cluster
	isolation app.Isolation
	t         *testing.T
	ctx       context.Context
	neighbour app.Namespace
	documents []app.Document // the neighbour's
}

// settle makes the neighbour, whose documents have the ids and types that the
// tests use.
func (k *kingdom) settle() {
	k.t.Helper()
	k.neighbour = k.provision("neighbour")
	for _, id := range []app.DocumentID{"a", "b", "doc"} {
		d := newDocument(id, "note", `{"whose":"the neighbour's"}`)
		must(k.t, k.InsertDocument(k.ctx, k.neighbour, d))
		k.documents = append(k.documents, d)
	}
}

func (k *kingdom) neighbourIsUntouched() {
	k.t.Helper()
	equal(k.t, "the neighbour's documents", k.all(k.neighbour), k.documents)
}

// locate places a new organization.
func (k *kingdom) locate(slug string) app.Namespace {
	k.t.Helper()
	return k.locateIn(k.isolation, slug)
}

func (k *kingdom) locateIn(isolation app.Isolation, slug string) app.Namespace {
	k.t.Helper()
	id := app.NewID[app.OrganizationID]()
	p, err := k.Locate(id, slug, isolation)
	must(k.t, err)
	return app.Namespace{Organization: id, Placement: p}
}

func (k *kingdom) provision(slug string) app.Namespace {
	k.t.Helper()
	ns := k.locate(slug)
	must(k.t, k.Provision(k.ctx, ns))
	return ns
}

// named is the name that a collection has in the isolation: those that share
// one have no other.
func (k *kingdom) named(collection string) string {
	if k.isolation == app.IsolationShared {
		return app.SharedCollection
	}
	return collection
}

// beside is an organization with another's collection name in the very same
// database, where two could be mixed up; those with a database of their own
// are never nearer than in two.
func (k *kingdom) beside(ns app.Namespace, collection string) app.Namespace {
	k.t.Helper()
	other := app.Namespace{Organization: app.NewID[app.OrganizationID](), Placement: ns.Placement}
	if k.isolation == app.IsolationDatabase {
		other = k.locate("beside")
	}
	other.Placement.Collection, other.Placement.Generation = k.named(collection), 1
	return other
}

// renamed is the namespace as it is known after a rename.
func renamed(ns app.Namespace, collection string) app.Namespace {
	ns.Placement.Collection = collection
	ns.Placement.Generation++
	return ns
}

func newDocument(id app.DocumentID, kind, data string) app.Document {
	return app.Document{ID: id, Type: kind, Revision: 1, Data: []byte(data),
		CreatedAt: beginning, UpdatedAt: beginning.Add(time.Millisecond)}
}

func (k *kingdom) insert(ns app.Namespace, id app.DocumentID, kind, data string) app.Document {
	k.t.Helper()
	d := newDocument(id, kind, data)
	must(k.t, k.InsertDocument(k.ctx, ns, d))
	return d
}

func (k *kingdom) document(ns app.Namespace, id app.DocumentID) app.Document {
	k.t.Helper()
	d, err := k.Document(k.ctx, ns, id)
	must(k.t, err)
	return d
}

func (k *kingdom) all(ns app.Namespace) []app.Document {
	k.t.Helper()
	list, err := k.ListDocuments(k.ctx, ns, app.DocumentQuery{Limit: 100_000})
	must(k.t, err)
	return list
}

// missing checks that every method on the namespace says that it is not there.
func (k *kingdom) missing(ns app.Namespace) {
	k.t.Helper()
	is(k.t, k.InsertDocument(k.ctx, ns, newDocument("a", "note", `{}`)), app.ErrNotFound)
	_, err := k.Document(k.ctx, ns, "a")
	is(k.t, err, app.ErrNotFound)
	_, err = k.UpdateDocument(k.ctx, ns, "a", app.AnyRevision, func(*app.Document) error { return nil })
	is(k.t, err, app.ErrNotFound)
	_, err = k.ReplaceDocument(k.ctx, ns, "a", app.AnyRevision, app.Replacement{Data: []byte(`{}`), At: beginning})
	is(k.t, err, app.ErrNotFound)
	is(k.t, k.DeleteDocument(k.ctx, ns, "a", app.AnyRevision), app.ErrNotFound)
	_, err = k.ListDocuments(k.ctx, ns, app.DocumentQuery{Limit: 1})
	is(k.t, err, app.ErrNotFound)
	_, err = k.Stats(k.ctx, ns)
	is(k.t, err, app.ErrNotFound)
	is(k.t, k.Rename(k.ctx, ns, k.named("org_elsewhere"), 2), app.ErrNotFound)
}
