package storagetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"tenantry/app"
)

func interrupting(s registrySuite) {
	s.test("Context/ACancelledOneBeginsNothing", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		gone, cancel := context.WithCancel(w.ctx)
		cancel()
		_, err := w.Organization(gone, acme.org.ID)
		cancelled(t, err)
		_, err = w.ListOrganizations(gone, app.OrganizationQuery{Sort: app.SortCreated, Limit: 10})
		cancelled(t, err)
		_, err = w.ChangeOrganization(gone, app.OrganizationChange{OrganizationID: acme.org.ID, ExternalID: ptr("x"), At: w.now()})
		cancelled(t, err)
		equal(t, "organization", w.organization(acme.org.ID), acme.org)
		c := w.creation("bolt")
		op := w.operation(app.OperationCreate, c.Organization)
		cancelled(t, w.BeginCreate(gone, op, c))
		w.nothingOf(c, op)
		w.create(w.creation("bolt"))
	})

	s.test("Context/AStormOfCancellationsTearsNothing", func(t *testing.T, w *world) {
		const n = 64
		creations, operations := make([]app.Creation, n), make([]app.Operation, n)
		for i := range n {
			creations[i] = w.creation(fmt.Sprintf("org-%d", i))
			operations[i] = w.operation(app.OperationCreate, creations[i].Organization)
		}
		answers := race(n, func(i int) error {
			ctx, cancel := context.WithTimeout(w.ctx, time.Duration(i*50)*time.Microsecond)
			defer cancel()
			return w.BeginCreate(ctx, operations[i], creations[i])
		})
		for i, answer := range answers {
			_, err := w.Operation(w.ctx, operations[i].ID)
			if errors.Is(err, app.ErrNotFound) {
				if answer == nil {
					t.Fatal("an acknowledged creation is not there")
				}
				w.nothingOf(creations[i], operations[i])
				continue
			}
			must(t, err)
			equal(t, "operation", w.recorded(operations[i].ID), operations[i])
			equal(t, "organization", w.organization(creations[i].Organization.ID), creations[i].Organization)
			equal(t, "owner", w.user(creations[i].Owner.ID), *creations[i].Owner)
		}
		w.tenant("after-the-storm")
	})
}
