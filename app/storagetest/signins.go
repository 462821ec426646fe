package storagetest

import (
	"errors"
	"fmt"
	"testing"

	"tenantry/app"
)

// signIns tests who cannot sign in.
func signIns(s registrySuite) {
	refused := func(t *testing.T, w *world, session app.Session, p app.Proof) {
		t.Helper()
		is(t, w.CreateSession(w.ctx, session, p), app.ErrUnauthenticated)
		_, err := w.Session(w.ctx, session.ID)
		is(t, err, app.ErrNotFound)
	}

	s.test("CreateSession/RefusesAnOldPasswordHash", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		before := w.proof(acme.org.ID, acme.owner)
		_, err := w.ChangeOrganization(w.ctx, app.OrganizationChange{OrganizationID: acme.org.ID, At: w.now(),
			User: &app.CredentialChange{UserID: acme.owner.ID, PasswordHash: ptr("$2a$04$new")}})
		must(t, err)
		refused(t, w, w.newSession(acme.org.ID, acme.owner.ID), before)
		now := w.proof(acme.org.ID, acme.owner)
		equal(t, "hash", now.PasswordHash, "$2a$04$new")
		for _, hash := range []string{"", acme.owner.PasswordHash, w.neighbour.owner.PasswordHash} {
			old := now
			old.PasswordHash = hash
			refused(t, w, w.newSession(acme.org.ID, acme.owner.ID), old)
		}
		must(t, w.CreateSession(w.ctx, w.newSession(acme.org.ID, acme.owner.ID), now))
	})

	s.test("CreateSession/RefusesWhoIsNoMember", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		mine := w.proof(acme.org.ID, acme.owner)
		refused(t, w, w.newSession(w.neighbour.org.ID, acme.owner.ID), mine)
		refused(t, w, w.newSession(w.neighbour.org.ID, acme.owner.ID), w.proof(w.neighbour.org.ID, w.neighbour.owner))
		refused(t, w, w.newSession(app.NewID[app.OrganizationID](), acme.owner.ID), mine)
		refused(t, w, w.newSession(acme.org.ID, app.NewID[app.UserID]()), mine)
	})

	s.test("CreateSession/RefusesWhoIsGone", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		before := w.proof(acme.org.ID, acme.owner)
		op := w.operation(app.OperationDelete, acme.org)
		must(t, w.BeginDelete(w.ctx, op, app.AnyRevision))
		must(t, w.FinishDelete(w.ctx, op, w.now()))
		refused(t, w, w.newSession(acme.org.ID, acme.owner.ID), before)
	})

	s.test("CreateSession/RefusesAnInvisibleOrganization", func(t *testing.T, w *world) {
		c := w.creation("creating")
		w.begin(c)
		refused(t, w, w.newSession(c.Organization.ID, c.Owner.ID), app.Proof{PasswordHash: c.Owner.PasswordHash})
		acme := w.tenant("acme")
		before := w.proof(acme.org.ID, acme.owner)
		must(t, w.BeginDelete(w.ctx, w.operation(app.OperationDelete, acme.org), app.AnyRevision))
		refused(t, w, w.newSession(acme.org.ID, acme.owner.ID), before)
	})

	s.test("CreateSession/TwoAtOnceAreTwo", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		p := w.proof(acme.org.ID, acme.owner)
		sessions := make([]app.Session, 16)
		for i := range sessions {
			sessions[i] = w.newSession(acme.org.ID, acme.owner.ID)
		}
		for _, err := range race(len(sessions), func(i int) error { return w.CreateSession(w.ctx, sessions[i], p) }) {
			must(t, err)
		}
		for _, want := range sessions {
			got, err := w.Session(w.ctx, want.ID)
			must(t, err)
			equal(t, "session", got.Session, want)
		}
		equal(t, "the user", w.user(acme.owner.ID), acme.owner) // nothing of it shows there
		equal(t, "the organization", w.organization(acme.org.ID), acme.org)
	})

	s.test("CreateSession/NeverOutlivesAPasswordChange", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		for round := range 8 {
			before, after := w.proof(acme.org.ID, acme.owner), fmt.Sprintf("$2a$04$round-%d", round)
			at := w.now()
			sessions := make([]app.Session, 8)
			for i := range sessions {
				sessions[i] = w.newSession(acme.org.ID, acme.owner.ID)
			}
			answers := race(len(sessions)+1, func(i int) error {
				if i < len(sessions) {
					return w.CreateSession(w.ctx, sessions[i], before)
				}
				_, err := w.ChangeOrganization(w.ctx, app.OrganizationChange{OrganizationID: acme.org.ID, At: at,
					User: &app.CredentialChange{UserID: acme.owner.ID, PasswordHash: &after}})
				return err
			})
			must(t, answers[len(sessions)])
			for i, session := range sessions {
				if answers[i] != nil && !errors.Is(answers[i], app.ErrUnauthenticated) {
					t.Fatal(answers[i])
				}
				_, err := w.Session(w.ctx, session.ID)
				is(t, err, app.ErrNotFound)
			}
		}
	})

	s.test("CreateSession/NeverOutlivesADeletion", func(t *testing.T, w *world) {
		for round := range 8 {
			acme := w.tenant(fmt.Sprintf("acme-%d", round))
			op, before := w.operation(app.OperationDelete, acme.org), w.proof(acme.org.ID, acme.owner)
			sessions := make([]app.Session, 8)
			for i := range sessions {
				sessions[i] = w.newSession(acme.org.ID, acme.owner.ID)
			}
			answers := race(len(sessions)+1, func(i int) error {
				if i < len(sessions) {
					return w.CreateSession(w.ctx, sessions[i], before)
				}
				return w.BeginDelete(w.ctx, op, app.AnyRevision)
			})
			must(t, answers[len(sessions)])
			for _, session := range sessions {
				_, err := w.Session(w.ctx, session.ID)
				is(t, err, app.ErrNotFound)
			}
		}
	})
}
