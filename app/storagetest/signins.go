package storagetest

import (
	"errors"
	"fmt"
	"testing"

	"tenantry/app"
)

// signIns tests who cannot sign in.
func signIns(s registrySuite) {
	refused := func(t *testing.T, w *world, session app.Session, hash string) {
		t.Helper()
		is(t, w.CreateSession(w.ctx, session, hash), app.ErrUnauthenticated)
		_, err := w.Session(w.ctx, session.ID)
		is(t, err, app.ErrNotFound)
	}

	s.test("CreateSession/RefusesAnOldPasswordHash", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		_, err := w.ChangeOrganization(w.ctx, app.OrganizationChange{OrganizationID: acme.org.ID, At: w.now(),
			User: &app.CredentialChange{UserID: acme.owner.ID, PasswordHash: ptr("$2a$04$new")}})
		must(t, err)
		refused(t, w, w.newSession(acme.org.ID, acme.owner.ID), acme.owner.PasswordHash)
		refused(t, w, w.newSession(acme.org.ID, acme.owner.ID), "")
		must(t, w.CreateSession(w.ctx, w.newSession(acme.org.ID, acme.owner.ID), "$2a$04$new"))
	})

	s.test("CreateSession/RefusesWhoIsNoMember", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		refused(t, w, w.newSession(w.neighbour.org.ID, acme.owner.ID), acme.owner.PasswordHash)
		refused(t, w, w.newSession(app.NewID[app.OrganizationID](), acme.owner.ID), acme.owner.PasswordHash)
	})

	s.test("CreateSession/RefusesWhoIsGone", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		op := w.operation(app.OperationDelete, acme.org)
		must(t, w.BeginDelete(w.ctx, op, app.AnyRevision))
		must(t, w.FinishDelete(w.ctx, op, w.now()))
		refused(t, w, w.newSession(acme.org.ID, acme.owner.ID), acme.owner.PasswordHash)
	})

	s.test("CreateSession/RefusesAnInvisibleOrganization", func(t *testing.T, w *world) {
		c := w.creation("creating")
		w.begin(c)
		refused(t, w, w.newSession(c.Organization.ID, c.Owner.ID), c.Owner.PasswordHash)
		acme := w.tenant("acme")
		must(t, w.BeginDelete(w.ctx, w.operation(app.OperationDelete, acme.org), app.AnyRevision))
		refused(t, w, w.newSession(acme.org.ID, acme.owner.ID), acme.owner.PasswordHash)
	})

	s.test("CreateSession/NeverOutlivesAPasswordChange", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		for round := range 8 {
			before, after := w.user(acme.owner.ID).PasswordHash, fmt.Sprintf("$2a$04$round-%d", round)
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
			op := w.operation(app.OperationDelete, acme.org)
			sessions := make([]app.Session, 8)
			for i := range sessions {
				sessions[i] = w.newSession(acme.org.ID, acme.owner.ID)
			}
			answers := race(len(sessions)+1, func(i int) error {
				if i < len(sessions) {
					return w.CreateSession(w.ctx, sessions[i], acme.owner.PasswordHash)
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
