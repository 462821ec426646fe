package storagetest

import (
	"testing"
	"time"

	"tenantry/app"
)

func sessions(s registrySuite) {
	s.test("Session/UnknownIsNotFound", func(t *testing.T, w *world) {
		_, err := w.Session(w.ctx, app.NewID[app.SessionID]())
		is(t, err, app.ErrNotFound)
	})

	s.test("CreateSession/RoundTripsEveryField", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		want := w.newSession(acme.org.ID, acme.owner.ID)
		want.PreviousHash = hashOf("previous")
		must(t, w.CreateSession(w.ctx, want, w.proof(acme.org.ID, acme.owner)))
		for _, want := range []app.Session{want, acme.session} { // with and without a previous hash
			got, err := w.Session(w.ctx, want.ID)
			must(t, err)
			equal(t, "session", got.Session, want)
		}
	})

	s.test("Session/TellsOrganizationAndRole", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		c := w.creation("second")
		c.Owner = nil
		c.Organization.OwnerID, c.Membership.UserID, c.Membership.Role = acme.owner.ID, acme.owner.ID, app.RoleViewer
		second := w.create(c)
		second, err := w.ChangeOrganization(w.ctx, app.OrganizationChange{OrganizationID: second.ID, State: ptr(app.StateSuspended), At: w.now()})
		must(t, err)
		for _, want := range []app.SignedIn{
			{Session: acme.session, Organization: acme.org, Role: app.RoleOwner},
			{Session: w.signIn(second, acme.owner), Organization: second, Role: app.RoleViewer},
		} {
			got, err := w.Session(w.ctx, want.ID)
			must(t, err)
			equal(t, "session", got.Session, want.Session)
			equal(t, "organization", got.Organization, want.Organization)
			equal(t, "role", got.Role, want.Role)
		}
	})

	s.test("RotateSession/KeepsOldAsPrevious", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		want := acme.session
		for _, token := range []string{"second", "third"} {
			old, at := want.RefreshHash, w.now()
			must(t, w.RotateSession(w.ctx, want.ID, old, hashOf(token), at, at.Add(48*time.Hour)))
			want.PreviousHash, want.RefreshHash = old, hashOf(token)
			want.LastUsedAt, want.ExpiresAt = at, at.Add(48*time.Hour)
			got, err := w.Session(w.ctx, want.ID)
			must(t, err)
			equal(t, "session", got.Session, want)
		}
	})

	s.test("RotateSession/AUsedTokenIsStale", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		at := w.now()
		must(t, w.RotateSession(w.ctx, acme.session.ID, acme.session.RefreshHash, hashOf("second"), at, at.Add(time.Hour)))
		before, err := w.Session(w.ctx, acme.session.ID)
		must(t, err)
		for _, old := range [][]byte{acme.session.RefreshHash, hashOf("made up"), {}, nil} {
			is(t, w.RotateSession(w.ctx, acme.session.ID, old, hashOf("stolen"), w.now(), at.Add(time.Hour)), app.ErrStale)
		}
		after, err := w.Session(w.ctx, acme.session.ID)
		must(t, err)
		equal(t, "session", after.Session, before.Session)
	})

	s.test("RotateSession/AnEndedOneIsNotFound", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		must(t, w.DeleteSession(w.ctx, acme.session.ID))
		at := w.now()
		is(t, w.RotateSession(w.ctx, acme.session.ID, acme.session.RefreshHash, hashOf("x"), at, at.Add(time.Hour)), app.ErrNotFound)
		_, err := w.Session(w.ctx, acme.session.ID)
		is(t, err, app.ErrNotFound)
	})

	s.test("RotateSession/ConcurrentUsersOneWins", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		at := w.now()
		winner := oneWinner(t, race(16, func(i int) error {
			return w.RotateSession(w.ctx, acme.session.ID, acme.session.RefreshHash, hashOf(string(rune('a'+i))), at, at.Add(time.Hour))
		}), app.ErrStale)
		got, err := w.Session(w.ctx, acme.session.ID)
		must(t, err)
		equal(t, "refresh hash", got.RefreshHash, hashOf(string(rune('a'+winner))))
		equal(t, "previous hash", got.PreviousHash, acme.session.RefreshHash)
	})

	s.test("DeleteSession/EndsOneAlone", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		other := w.signIn(acme.org, acme.owner)
		must(t, w.DeleteSession(w.ctx, acme.session.ID))
		_, err := w.Session(w.ctx, acme.session.ID)
		is(t, err, app.ErrNotFound)
		got, err := w.Session(w.ctx, other.ID)
		must(t, err)
		equal(t, "the other session", got.Session, other)
	})

	s.test("DeleteSession/UnknownIsNoError", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		must(t, w.DeleteSession(w.ctx, app.NewID[app.SessionID]()))
		must(t, w.DeleteSession(w.ctx, acme.session.ID))
		must(t, w.DeleteSession(w.ctx, acme.session.ID))
	})

	s.test("PruneSessions/RemovesThoseExpiredBefore", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		cut := beginning.Add(30 * time.Minute)
		var ids []app.SessionID
		for _, expires := range []time.Time{cut.Add(-time.Millisecond), cut, cut.Add(time.Millisecond), cut.Add(-time.Minute)} {
			n := w.newSession(acme.org.ID, acme.owner.ID)
			n.ExpiresAt = expires
			must(t, w.CreateSession(w.ctx, n, w.proof(acme.org.ID, acme.owner)))
			ids = append(ids, n.ID)
		}
		n, err := w.PruneSessions(w.ctx, cut)
		must(t, err)
		equal(t, "removed", n, 2)
		for i, id := range ids {
			_, err := w.Session(w.ctx, id)
			if i == 0 || i == 3 {
				is(t, err, app.ErrNotFound)
			} else {
				must(t, err)
			}
		}
		n, err = w.PruneSessions(w.ctx, cut)
		must(t, err)
		equal(t, "removed the second time", n, 0)
	})
}
