package storagetest

import (
	"iter"
	"maps"
	"slices"

	"pgregory.net/rapid"

	"tenantry/app"
)

// Bare is a cluster whose store a test can read past the program.
type Bare interface {
	// BareDocuments reads all that is stored in the table or collection of a
	// namespace: by whose it says it is, and by its id the data. There may be no
	// such place.
	BareDocuments(ns app.Namespace) (map[app.OrganizationID]map[app.DocumentID]string, error)
}

// bareIs checks that the store itself has what both have written, by whose it
// is, and nothing else of anybody's but the neighbour's.
func (p *crossingPair) bareIs(r *rapid.T) {
	store, can := p.k.Cluster.(Bare)
	if !can {
		return
	}
	for n, ns := range p.orgs {
		there, err := store.BareDocuments(ns)
		answers(r, err, nil)
		want := map[app.OrganizationID]map[app.DocumentID]string{}
		for m, other := range p.orgs {
			if len(p.written[m]) > 0 && (m == n || p.k.isolation == app.IsolationShared) {
				want[other.Organization] = dataOf(maps.Values(p.written[m]))
			}
		}
		if p.k.isolation == app.IsolationShared {
			want[p.k.neighbour.Organization] = dataOf(slices.Values(p.k.documents))
		}
		sameAs(r, "what the store has", there, want)
	}
}

func dataOf(documents iter.Seq[app.Document]) map[app.DocumentID]string {
	all := map[app.DocumentID]string{}
	for d := range documents {
		all[d.ID] = string(d.Data)
	}
	return all
}
