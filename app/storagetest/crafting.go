package storagetest

import (
	"errors"
	"strings"
	"testing"

	"tenantry/app"
)

// crafted are document ids, cursors and types that an engine could take for
// more than they are: of a key that is put together, of a pattern, of a query
// language, of the end of a string.
func crafted(of app.Namespace) []string {
	org := string(of.Organization)
	return []string{
		org, org + "/", org + "/a", "/" + org + "/a", "../" + org + "/a", org + ":a", org + "\x00a", "a\x00", "\x00", "\x00a",
		"a' OR '1'='1", `a" OR ""="`, "a; DROP TABLE shared", "%", "_", "a%", ".*", "^a", `{"$ne":null}`, "$where", "a.b", "$a",
		"a ", " a", "A", "\uffff", "\U0010ffff", strings.Repeat("a", 300), "",
	}
}

// crafting tests that nothing which a caller can choose reaches another's
// documents. The neighbour has some with the plainest of ids.
func crafting(s clusterSuite) {
	s.test("Document/CraftedIDsReachNobodyElse", func(t *testing.T, k *kingdom) {
		ns := k.provision("acme")
		for _, c := range crafted(k.neighbour) {
			id := app.DocumentID(c)
			_, err := k.Document(k.ctx, ns, id)
			is(t, err, app.ErrNotFound)
			_, err = k.UpdateDocument(k.ctx, ns, id, app.AnyRevision, func(d *app.Document) error {
				t.Errorf("%q reached %+v", c, d)
				return nil
			})
			is(t, err, app.ErrNotFound)
			_, err = k.ReplaceDocument(k.ctx, ns, id, app.AnyRevision, app.Replacement{Data: []byte(`{}`), At: beginning})
			is(t, err, app.ErrNotFound)
			is(t, k.DeleteDocument(k.ctx, ns, id, app.AnyRevision), app.ErrNotFound)
		}
	})

	// What an engine takes, it gives back; it may refuse what no caller can send.
	s.test("InsertDocument/CraftedIDsAreOnesOwn", func(t *testing.T, k *kingdom) {
		ns, other := k.provision("acme"), k.provision("bolt")
		for _, c := range crafted(k.neighbour) {
			d := newDocument(app.DocumentID(c), c, `{"whose":"acme's"}`)
			if err := k.InsertDocument(k.ctx, ns, d); err != nil {
				if app.DocumentID(c) != "" && allowed(c) {
					t.Errorf("%q is refused: %v", c, err)
				}
				continue
			}
			equal(t, "document", k.document(ns, d.ID), d)
			_, err := k.Document(k.ctx, other, d.ID)
			is(t, err, app.ErrNotFound)
			d.Data = []byte(`{"whose":"bolt's"}`)
			must(t, k.InsertDocument(k.ctx, other, d))
			must(t, k.DeleteDocument(k.ctx, ns, d.ID, app.AnyRevision))
			equal(t, "the other's", k.document(other, d.ID), d)
		}
		equal(t, "what is left", k.all(ns), []app.Document{})
	})

	s.test("ListDocuments/CraftedCursorsAndTypesReachNobodyElse", func(t *testing.T, k *kingdom) {
		ns := k.provision("acme")
		own := k.insert(ns, "m", "note", `{}`)
		for _, c := range crafted(k.neighbour) {
			for _, q := range []app.DocumentQuery{
				{After: app.DocumentID(c), Limit: 100}, {Type: c, Limit: 100},
				{Type: "note", After: app.DocumentID(c), Limit: 100}, {Type: c, After: app.DocumentID(c), Limit: 100, MaxBytes: 1 << 20},
			} {
				list, err := k.ListDocuments(k.ctx, ns, q)
				must(t, err)
				for _, d := range list {
					equal(t, "what "+c+" found", d, own)
				}
			}
		}
	})

	s.test("Provision/CraftedPlacesAreRefused", func(t *testing.T, k *kingdom) {
		for _, c := range append(crafted(k.neighbour), "shared ", "org_", "org_a\"b", "org_a;", "system.users", "admin") {
			for name, craft := range map[string]func(*app.Namespace){
				"collection":   func(ns *app.Namespace) { ns.Placement.Collection = c },
				"organization": func(ns *app.Namespace) { ns.Organization = app.OrganizationID(c) },
			} {
				ns := k.locate("acme")
				craft(&ns)
				if ns.Organization == k.neighbour.Organization {
					continue // that is no other's
				}
				if err := k.Provision(k.ctx, ns); err == nil {
					t.Errorf("a namespace with the %s %q was made", name, c)
				}
			}
		}
	})

	// Who knows where the neighbour is, and not who it is, reaches nothing.
	s.test("Drop/CraftedOrganizationsReachNobodyElse", func(t *testing.T, k *kingdom) {
		org := string(k.neighbour.Organization)
		for _, c := range []string{"", "%", org[:35], org + " ", strings.ToUpper(org), org + "/a", org[:35] + "_", "\x00" + org, org + "\x00"} {
			if c == org {
				continue // without a letter there is no other case
			}
			ns := app.Namespace{Organization: app.OrganizationID(c), Placement: k.neighbour.Placement}
			for name, err := range map[string]error{
				"Document":       second(k.Document(k.ctx, ns, "a")),
				"ListDocuments":  second(k.ListDocuments(k.ctx, ns, app.DocumentQuery{Limit: 5})),
				"InsertDocument": k.InsertDocument(k.ctx, ns, newDocument("new", "note", `{}`)),
				"DeleteDocument": k.DeleteDocument(k.ctx, ns, "a", app.AnyRevision),
				"Stats":          second(k.Stats(k.ctx, ns)),
				"Rename":         k.Rename(k.ctx, ns, k.named("org_taken"), 9),
			} {
				if !errors.Is(err, app.ErrNotFound) && !errors.Is(err, app.ErrInvalid) {
					t.Errorf("%s as organization %q: %v", name, c, err)
				}
			}
			if err := k.Drop(k.ctx, ns); err != nil && !errors.Is(err, app.ErrInvalid) {
				t.Errorf("Drop as organization %q: %v", c, err)
			}
		}
	})
}

func allowed(id string) bool {
	_, err := app.ParseDocumentID(id)
	return err == nil
}

func second[T any](_ T, err error) error { return err }
