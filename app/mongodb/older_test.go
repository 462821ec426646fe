package mongodb

import (
	"errors"
	"testing"
	"time"

	"tenantry/app"
	"tenantry/app/mongodb/mongotest"
)

// Servers before MongoDB 8.0 take the writes to one collection in one command,
// not those to several.
func TestServersBefore8(t *testing.T) {
	eachKind(t, func(t *testing.T, s *mongotest.Server) {
		t.Parallel()
		ctx := t.Context()
		r, err := OpenRegistry(ctx, Options{URL: s.URL(s.Database(t)), AppVersion: "test", Monitor: watch(t, s, "registry"), newest: bulkWire - 1})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = r.Close() }()
		if r.hello.bulk() {
			t.Fatal("the test tests nothing")
		}
		check := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		op, c := creation("acme")
		check(r.BeginCreate(ctx, op, c))
		org, err := r.FinishCreate(ctx, op, app.Now())
		check(err)
		account := func() app.Proof {
			t.Helper()
			a, err := r.Account(ctx, app.AccountQuery{EmailKey: c.Owner.EmailKey, Limit: 1})
			check(err)
			return a.Places[0].Proof
		}
		session := func() app.Session {
			return app.Session{ID: app.NewID[app.SessionID](), UserID: c.Owner.ID, OrganizationID: org.ID, RefreshHash: []byte("h"),
				CreatedAt: app.Now(), LastUsedAt: app.Now(), ExpiresAt: app.Now().Add(time.Hour)}
		}
		before, signedIn := account(), session()
		check(r.CreateSession(ctx, signedIn, before))
		got, err := r.Session(ctx, signedIn.ID)
		check(err)
		if got.Role != app.RoleOwner || got.Organization.ID != org.ID {
			t.Fatalf("signed in: %+v", got)
		}
		next := "another hash"
		_, err = r.ChangeOrganization(ctx, app.OrganizationChange{OrganizationID: org.ID, At: app.Now(),
			User: &app.CredentialChange{UserID: c.Owner.ID, PasswordHash: &next}})
		check(err)
		wrong := account()
		wrong.PasswordHash = before.PasswordHash
		for name, p := range map[string]app.Proof{"an old epoch": before, "an old hash": wrong} {
			late := session()
			if err := r.CreateSession(ctx, late, p); !errors.Is(err, app.ErrUnauthenticated) {
				t.Fatalf("%s: %v", name, err)
			}
			if _, err := r.Session(ctx, late.ID); !errors.Is(err, app.ErrNotFound) {
				t.Fatalf("%s: the session is there: %v", name, err)
			}
		}
		check(r.CreateSession(ctx, session(), account()))
	})
}
