package documents_test

import (
	"context"
	"testing"

	"tenantry/app"
	"tenantry/app/documents"
)

// late is a tenancy whose organization is deleted between its being resolved
// and what follows.
type late struct {
	documents.Organizations
	purge func()
}

func (l late) Located(ctx context.Context, org app.Organization) (app.Cluster, app.Namespace, error) {
	l.purge()
	return l.Organizations.Located(ctx, org)
}

// TestDeletedMeanwhile: whoever comes too late is told that it is the
// organization that is not there.
func TestDeletedMeanwhile(t *testing.T) {
	for _, name := range []string{"create", "list", "get", "put", "patch", "delete"} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.create(w.acme, "a", "{}")
			s := documents.New(late{w.tenancy, func() {
				if _, err := w.tenancy.Delete(context.Background(), app.Actor{Kind: app.AsOperator}, "acme", app.AnyRevision); err != nil {
					t.Fatal(err)
				}
			}}, app.Now)
			var err error
			switch name {
			case "create":
				_, err = s.Create(w.ctx, w.acme.owner, "acme", documents.CreateInput{Type: "note", Data: []byte("{}")})
			case "list":
				_, err = s.List(w.ctx, w.acme.owner, "acme", documents.ListInput{})
			case "get":
				_, err = s.Get(w.ctx, w.acme.owner, "acme", "a")
			case "put":
				_, err = s.Put(w.ctx, w.acme.owner, "acme", "a", documents.PutInput{Data: []byte("{}")})
			case "patch":
				_, err = s.Patch(w.ctx, w.acme.owner, "acme", "a", documents.PatchInput{Patch: []byte("{}")})
			case "delete":
				err = s.Delete(w.ctx, w.acme.owner, "acme", "a", app.AnyRevision)
			}
			w.wantCode(err, app.ErrNotFound, "organization_not_found")
		})
	}
}
