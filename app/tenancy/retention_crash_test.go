package tenancy_test

import (
	"fmt"
	"time"

	"tenantry/app"
	"tenantry/app/tenancy"
)

// keptAWhile is the open house, where deletions can be taken back.
var keptAWhile = tenancy.Config{SignupOpen: true, Clusters: []string{"default"}, Isolation: app.IsolationCollection, DeletionRetention: time.Hour}

// deleted makes a tenant and deletes it, to be restored for an hour.
func (h *house) deleted(name string) tenant {
	h.t.Helper()
	o := h.tenant(name)
	d, err := h.serve(h.registry, h.cluster, keptAWhile).Service.Delete(h.ctx, o.owner, o.Slug, app.AnyRevision)
	h.ok(err)
	if d.Done || d.PurgeAt.IsZero() {
		h.t.Fatalf("deleted with a retention: %+v", d)
	}
	return o
}

// purgeAct ends a retention early.
func purgeAct(h *house, n int) act {
	o := h.deleted(fmt.Sprintf("Kept %d", n))
	return act{
		do: func(s *server) error { return s.Delete(h.ctx, operator, o.Slug, app.AnyRevision) },
		look: func() outcome {
			if _, err := h.registry.Organization(h.ctx, o.ID); err == nil {
				h.restored(o)
				return neverBegun
			}
			again := input(o.Name)
			again.Owner.Email = o.email
			org, err := h.Create(h.ctx, anonymous, again)
			h.ok(err)
			h.ok(h.Delete(h.ctx, operator, string(org.ID), app.AnyRevision))
			return done
		},
	}
}

// restored brings a deleted tenant back, and checks that all of it is there.
func (h *house) restored(o tenant) {
	h.t.Helper()
	org, err := h.Restore(h.ctx, operator, o.Slug)
	h.ok(err)
	if org.State != app.StateActive || org.ID != o.ID {
		h.t.Errorf("restored: %+v", org)
	}
	h.ok(h.login(o.email, password))
	h.note(o, "written-when-back")
}

func restoreAct(h *house, n int) act {
	o := h.deleted(fmt.Sprintf("Back %d", n))
	return act{
		do: func(s *server) error {
			_, err := s.Restore(h.ctx, operator, o.Slug)
			return err
		},
		look: func() outcome {
			switch org := h.organization(o.ID); org.State {
			case app.StateActive:
				h.ok(h.login(o.email, password))
				h.note(o, "written-when-back")
				return done
			default:
				h.restored(o)
				return neverBegun
			}
		},
	}
}

// repeatAct creates with an idempotency key, and again when it is over.
func repeatAct(h *house, n int) act {
	in := input(fmt.Sprintf("Repeat %d", n))
	in.IdempotencyKey, in.Request = fmt.Sprintf("key-%d", n), []byte(in.Name)
	return act{
		do: func(s *server) error {
			_, err := s.Create(h.ctx, anonymous, in)
			return err
		},
		look: func() outcome {
			before, err := h.Get(h.ctx, operator, fmt.Sprintf("repeat-%d", n))
			made := err == nil
			again, err := h.Create(h.ctx, anonymous, in)
			h.ok(err)
			if made && (again.ID != before.ID || again.State != app.StateActive) {
				h.t.Errorf("repeated, it is %+v, not %+v", again, before)
			}
			h.ok(h.login(in.Owner.Email, password))
			if made {
				return done
			}
			return neverBegun
		},
	}
}
