package storagetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tenantry/app"
)

// crossing lets two organizations in one place do what comes to mind, with ids,
// types, cursors and contents that are meant to reach the other: each sees just
// what it has written itself.
func crossing(s clusterSuite) {
	s.test("Model/TwoOrganizationsNeverCross", func(t *testing.T, k *kingdom) {
		rapid.Check(t, func(r *rapid.T) {
			a := k.locate("acme")
			own := strings.ReplaceAll(string(a.Organization), "-", "_") // a failure leaves its names taken
			a.Placement.Collection = k.named("org_a_" + own)
			pair := &crossingPair{k: k, orgs: []app.Namespace{a, k.beside(a, "org_b_"+own)}}
			for i, ns := range pair.orgs {
				pair.written[i] = map[app.DocumentID]app.Document{}
				answers(r, k.Provision(r.Context(), ns), nil)
			}
			r.Repeat(map[string]func(*rapid.T){
				"insert": pair.insert, "update": pair.update, "replace": pair.replace, "delete": pair.remove,
				"begin anew": pair.beginAnew, "": pair.compare,
			})
			pair.bareIs(r)
			for n, ns := range pair.orgs {
				answers(r, k.Drop(r.Context(), ns), nil)
				clear(pair.written[n])
			}
			pair.bareIs(r)
		})
	})
}

type crossingPair struct {
	k       *kingdom
	orgs    []app.Namespace
	written [2]map[app.DocumentID]app.Document
}

// words are what ids, types and cursors are made of; ids only of the first,
// which are those that an engine is given.
func (p *crossingPair) words() (ids, all []string) {
	a, b := string(p.orgs[0].Organization), string(p.orgs[1].Organization)
	ids = []string{"a", "A", "b", "~", "-", ".a", "_id", "org_id", "id", a, b, a + "-a", b + ".a", b + "~", a[:35]}
	return ids, append(ids, "", "note", b+"/a", a+"/a", "$ne", `{"$gt":""}`, "' OR 1=1 --", "%", "\x00", "\uffff", b+"\x00a", "shared")
}

func (p *crossingPair) draw(r *rapid.T) (n int, id app.DocumentID, d app.Document) {
	ids, all := p.words()
	n = rapid.IntRange(0, 1).Draw(r, "organization")
	id = app.DocumentID(rapid.SampledFrom(ids).Draw(r, "id"))
	other := p.orgs[1-n].Organization
	data := rapid.SampledFrom([]string{
		`{}`, fmt.Sprintf(`{"org_id":%q}`, other), fmt.Sprintf(`{"_id":"%s/a","id":"a"}`, other),
		fmt.Sprintf(`{"$set":{"org_id":%q}}`, other), fmt.Sprintf(`{"organization_id":%q,"type":"note","revision":99}`, other),
	}).Draw(r, "data")
	return n, id, newDocument(id, rapid.SampledFrom(all).Draw(r, "type"), data)
}

// there answers what a write to the document is answered.
func (p *crossingPair) there(n int, id app.DocumentID) error {
	if _, there := p.written[n][id]; !there {
		return app.ErrNotFound
	}
	return nil
}

func (p *crossingPair) insert(r *rapid.T) {
	n, id, d := p.draw(r)
	err := p.k.InsertDocument(r.Context(), p.orgs[n], d)
	if p.there(n, id) == nil {
		answers(r, err, app.Taken(app.ConflictDocumentID))
		return
	}
	answers(r, err, nil)
	p.written[n][id] = d
}

func (p *crossingPair) update(r *rapid.T) {
	n, id, d := p.draw(r)
	got, err := p.k.UpdateDocument(r.Context(), p.orgs[n], id, app.AnyRevision, func(into *app.Document) error {
		into.Type, into.Data = d.Type, d.Data
		return nil
	})
	answers(r, err, p.there(n, id))
	if err == nil {
		d.Revision = p.written[n][id].Revision + 1
		d.UpdatedAt = p.written[n][id].UpdatedAt
		sameAs(r, "the updated document", got, d)
		p.written[n][id] = d
	}
}

func (p *crossingPair) replace(r *rapid.T) {
	n, id, d := p.draw(r)
	got, err := p.k.ReplaceDocument(r.Context(), p.orgs[n], id, app.AnyRevision, app.Replacement{Type: d.Type, Data: d.Data, At: beginning})
	answers(r, err, p.there(n, id))
	if err == nil {
		was := p.written[n][id]
		if d.Type == "" {
			d.Type = was.Type
		}
		d.Revision, d.UpdatedAt = was.Revision+1, app.Later(beginning, was.UpdatedAt)
		sameAs(r, "the replaced document", got, d)
		p.written[n][id] = d
	}
}

func (p *crossingPair) remove(r *rapid.T) {
	n, id, _ := p.draw(r)
	answers(r, p.k.DeleteDocument(r.Context(), p.orgs[n], id, app.AnyRevision), p.there(n, id))
	delete(p.written[n], id)
}

// beginAnew drops all that one of them has, and nothing of the other's.
func (p *crossingPair) beginAnew(r *rapid.T) {
	if rapid.IntRange(0, 9).Draw(r, "seldom") > 0 {
		return
	}
	n := rapid.IntRange(0, 1).Draw(r, "organization")
	answers(r, p.k.Drop(r.Context(), p.orgs[n]), nil)
	answers(r, p.k.Provision(r.Context(), p.orgs[n]), nil)
	clear(p.written[n])
}

// compare reads all that both have, and a part of it.
func (p *crossingPair) compare(r *rapid.T) {
	_, words := p.words()
	part := app.DocumentQuery{Limit: rapid.IntRange(1, 9).Draw(r, "limit"),
		Type: rapid.SampledFrom(words).Draw(r, "type"), After: app.DocumentID(rapid.SampledFrom(words).Draw(r, "after"))}
	for n, ns := range p.orgs {
		for _, q := range []app.DocumentQuery{{Limit: 100}, part} {
			list, err := p.k.ListDocuments(r.Context(), ns, q)
			answers(r, err, nil)
			sameAs(r, fmt.Sprintf("the documents of %+v", q), append([]app.Document{}, list...), p.listed(n, q))
		}
		for id, d := range p.written[n] {
			got, err := p.k.Document(r.Context(), ns, id)
			answers(r, err, nil)
			sameAs(r, "a document", got, d)
		}
	}
}

func (p *crossingPair) listed(n int, q app.DocumentQuery) []app.Document {
	list := []app.Document{}
	for id, d := range p.written[n] {
		if id > q.After && (q.Type == "" || d.Type == q.Type) {
			list = append(list, d)
		}
	}
	slices.SortFunc(list, func(a, b app.Document) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	return list[:min(len(list), q.Limit)]
}
