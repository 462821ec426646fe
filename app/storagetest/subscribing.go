package storagetest

import (
	"slices"
	"sync"
	"testing"
	"time"

	"tenantry/app"
)

// feed collects what a registry says has changed.
type feed struct {
	mu    sync.Mutex
	items []app.Invalidation
}

func (f *feed) add(i app.Invalidation) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.items = append(f.items, i)
}

// take empties the feed.
func (f *feed) take() []app.Invalidation {
	f.mu.Lock()
	defer f.mu.Unlock()
	items := f.items
	f.items = nil
	return items
}

func subscribing(s registrySuite) {
	s.test("Subscribe/HearsOfEverythingBeforeTheAnswer", func(t *testing.T, w *world) {
		var first, second feed
		w.Subscribe(first.add)
		w.Subscribe(second.add)
		hears := func(what string, about func(app.Invalidation) bool) {
			t.Helper()
			for _, items := range [][]app.Invalidation{first.take(), second.take()} {
				if !slices.ContainsFunc(items, about) {
					t.Fatalf("%s was not announced; heard %+v", what, items)
				}
			}
		}
		silent := func() { first.take(); second.take() }

		c := w.creation("acme")
		org, user := c.Organization.ID, c.Owner.ID
		ofOrganization := func(i app.Invalidation) bool { return i.Organization == org }
		ofUser := func(i app.Invalidation) bool { return i.User == user }
		op := w.begin(c)
		hears("BeginCreate", ofOrganization)
		_, err := w.FinishCreate(w.ctx, op, w.now())
		must(t, err)
		hears("FinishCreate", ofOrganization)

		_, err = w.ChangeOrganization(w.ctx, app.OrganizationChange{OrganizationID: org, Metadata: map[string]string{}, At: w.now(),
			User: &app.CredentialChange{UserID: user, PasswordHash: ptr("new")}})
		must(t, err)
		hears("ChangeOrganization", ofOrganization)
		_, err = w.ChangeOrganization(w.ctx, app.OrganizationChange{OrganizationID: org, At: w.now(),
			User: &app.CredentialChange{UserID: user, PasswordHash: ptr("newer")}})
		must(t, err)
		hears("a change of credentials", ofUser)
		must(t, w.ReplacePasswordHash(w.ctx, user, "newer", "newest"))
		hears("ReplacePasswordHash", ofUser)

		session := w.newSession(org, user)
		must(t, w.CreateSession(w.ctx, session, w.proof(org, w.user(user))))
		silent()
		at := w.now()
		must(t, w.RotateSession(w.ctx, session.ID, session.RefreshHash, hashOf("next"), at, at.Add(time.Hour)))
		hears("RotateSession", func(i app.Invalidation) bool { return i.Session == session.ID })
		must(t, w.DeleteSession(w.ctx, session.ID))
		hears("DeleteSession", func(i app.Invalidation) bool { return i.Session == session.ID })

		key := w.operatorKey("key")
		must(t, w.CreateOperatorKey(w.ctx, key))
		silent()
		_, err = w.RevokeOperatorKey(w.ctx, key.ID, w.now())
		must(t, err)
		hears("RevokeOperatorKey", func(i app.Invalidation) bool { return i.OperatorKey == key.ID })

		rename := w.rename(w.organization(org), "bolt")
		must(t, w.BeginRename(w.ctx, rename))
		silent()
		_, err = w.FinishRename(w.ctx, rename, w.now())
		must(t, err)
		hears("FinishRename", ofOrganization)
		remove := w.operation(app.OperationDelete, w.organization(org))
		must(t, w.BeginDelete(w.ctx, remove, app.AnyRevision))
		hears("BeginDelete", func(i app.Invalidation) bool { return i.Organization == org && i.User == user })
		must(t, w.FinishDelete(w.ctx, remove, w.now()))
		hears("FinishDelete", ofOrganization)

		op = w.begin(w.creation("acme"))
		org = op.OrganizationID
		silent()
		must(t, w.AbandonCreate(w.ctx, op, "why", w.now()))
		hears("AbandonCreate", ofOrganization)
	})

	s.test("Subscribe/HearsTheMembershipsThatGo", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		var heard feed
		w.Subscribe(heard.add)
		op := w.operation(app.OperationDelete, acme.org)
		must(t, w.BeginDelete(w.ctx, op, app.AnyRevision))
		must(t, w.FinishDelete(w.ctx, op, w.now()))
		if !slices.ContainsFunc(heard.take(), func(i app.Invalidation) bool {
			return i.Organization == acme.org.ID && i.User == acme.owner.ID
		}) {
			t.Fatal("the end of a membership was not announced")
		}
	})

	s.test("Subscribe/WhoReadsAgainAtEachAnnouncementHasTheNew", func(t *testing.T, w *world) {
		// As a cache does. A change may be announced more than once, also late; but
		// once before the changing method answers, and never before the new is there.
		acme := w.tenant("acme")
		var mu sync.Mutex
		announced, kept := 0, acme.org
		read := func() (int, error) {
			mu.Lock()
			before := announced
			mu.Unlock()
			org, err := w.Organization(w.ctx, acme.org.ID)
			mu.Lock()
			defer mu.Unlock()
			if err == nil && announced == before {
				kept = org // as a cache keeps what was not dropped while it loaded
			}
			return before, err
		}
		w.Subscribe(func(i app.Invalidation) {
			mu.Lock()
			defer mu.Unlock()
			if i.Organization == acme.org.ID {
				announced++
				kept = app.Organization{}
			}
		})
		for range 32 {
			at := w.now()
			var changed app.Organization
			answers := race(2, func(i int) (err error) {
				if i == 0 {
					changed, err = w.ChangeOrganization(w.ctx, app.OrganizationChange{
						OrganizationID: acme.org.ID, ExternalID: ptr(""), At: at})
					return err
				}
				for range 4 {
					if _, err := read(); err != nil {
						return err
					}
				}
				return nil
			})
			must(t, answers[0])
			must(t, answers[1])
			mu.Lock()
			now := kept
			mu.Unlock()
			if now.ID != "" && now.Revision != changed.Revision {
				t.Fatalf("revision %d is kept after the change to %d was answered", now.Revision, changed.Revision)
			}
			if _, err := read(); err != nil {
				t.Fatal(err)
			}
		}
	})

	s.test("Trusted/WhenWhatChangedIsAnnounced", func(t *testing.T, w *world) {
		w.tenant("acme")
		for deadline := time.Now().Add(30 * time.Second); !w.Trusted(); time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("what was read is never to be relied on")
			}
		}
	})

	s.test("Shared/WhoIsAloneIsAlwaysTrusted", func(t *testing.T, w *world) {
		if w.Shared() {
			return // others change things, and their announcements take their time
		}
		for range 100 {
			if !w.Trusted() {
				t.Fatal("nobody else changes anything, and it is not trusted")
			}
		}
	})
}
