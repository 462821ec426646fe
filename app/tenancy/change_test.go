package tenancy_test

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"tenantry/app"
	"tenantry/app/documents"
	"tenantry/app/tenancy"
)

// TestRenameWhileDocumentsAreWritten: whatever was acknowledged is there, and
// nobody is refused for the renaming's sake.
func TestRenameWhileDocumentsAreWritten(t *testing.T) {
	h := newHouse(t)
	o, other := h.tenant("Name 0"), h.tenant("Other")
	var stop atomic.Bool
	acknowledged := make([]int, 8)
	errs := atOnce(len(acknowledged)+1, func(i int) error {
		if i == len(acknowledged) {
			defer stop.Store(true)
			for n := range 40 {
				if _, err := h.rename(o, fmt.Sprint("Name ", n+1)); err != nil {
					return err
				}
			}
			return nil
		}
		who := []tenant{o, other}[i%2]
		for !stop.Load() {
			id := fmt.Sprintf("%d-%d", i, acknowledged[i])
			_, err := h.documents.Create(h.ctx, who.owner, string(who.ID), documents.CreateInput{ID: id, Type: "t", Data: []byte("{}")})
			if err != nil {
				return err
			}
			if _, err := h.documents.Get(h.ctx, who.owner, string(who.ID), id); err != nil {
				return err
			}
			acknowledged[i]++
		}
		return nil
	})
	for _, err := range errs {
		h.ok(err)
	}
	for i, n := range acknowledged {
		who := []tenant{o, other}[i%2]
		for j := range n {
			if _, err := h.documents.Get(h.ctx, who.owner, string(who.ID), fmt.Sprintf("%d-%d", i, j)); err != nil {
				t.Fatalf("acknowledged and gone: %v", err)
			}
		}
	}
	h.tidy()
}

// TestNamesPassOn: who takes a name that another organization had gets nothing
// of it, and who had it keeps nothing of whoever takes it.
func TestNamesPassOn(t *testing.T) {
	h := newHouse(t)
	first := h.tenant("Acme")
	h.note(first, "first")
	_, err := h.rename(first, "Moved On")
	h.ok(err)
	second := h.tenant("Acme")
	h.note(second, "second")
	h.hasNotes(first, "first")
	h.hasNotes(second, "second")
	_, err = h.Get(h.ctx, first.owner, "acme")
	h.wantCode(err, "organization_not_found")
	_, err = h.rename(first, "Acme")
	h.wantCode(err, "organization_name_taken")

	h.ok(h.Delete(h.ctx, second.owner, "acme", app.AnyRevision))
	_, err = h.Get(h.ctx, second.owner, "acme")
	h.wantCode(err, "organization_not_found")
	third := h.tenant("Acme")
	h.hasNotes(third)
	for _, actor := range []app.Actor{first.owner, second.owner} {
		_, err = h.Get(h.ctx, actor, "acme")
		h.wantCode(err, "organization_not_found")
	}
	_, err = h.rename(first, "Moved Again")
	h.ok(err)
	h.hasNotes(first, "first")
	h.tidy()
}

func TestDelete(t *testing.T) {
	h := newHouse(t)
	o, other := h.tenant("Acme"), h.tenant("Other")
	h.note(o, "a")
	for who, actor := range map[string]app.Actor{"token_required": anonymous, "organization_not_found": other.owner} {
		h.wantCode(h.Delete(h.ctx, actor, o.Slug, app.AnyRevision), who)
	}
	_, admin := h.place("by-admin", app.RoleAdmin, app.StateActive)
	h.wantCode(h.Delete(h.ctx, admin, "by-admin", app.AnyRevision), "role_insufficient")
	h.wantCode(h.Delete(h.ctx, o.owner, o.Slug, 9), "revision_mismatch")
	h.hasNotes(o, "a")

	h.ok(h.Delete(h.ctx, o.owner, o.Slug, 1))
	for _, actor := range []app.Actor{o.owner, operator} {
		h.wantCode(h.Delete(h.ctx, actor, o.Slug, app.AnyRevision), "organization_not_found")
		h.wantCode(h.Delete(h.ctx, actor, string(o.ID), app.AnyRevision), "organization_not_found")
	}
	h.wantCode(h.login(o.email, password), "credentials_invalid")
	if _, err := h.registry.User(h.ctx, o.owner.UserID); !errors.Is(err, app.ErrNotFound) {
		t.Errorf("the owner: %v", err)
	}
	h.ok(h.Delete(h.ctx, operator, other.Slug, app.AnyRevision)) // by an operator
	h.ok(h.Delete(h.ctx, operator, "by-admin", app.AnyRevision)) // whose data was never made
	h.tidy()
}

func TestDeleteAtOnce(t *testing.T) {
	h := newHouse(t)
	o := h.tenant("Acme")
	errs := atOnce(16, func(int) error { return h.Delete(h.ctx, o.owner, string(o.ID), app.AnyRevision) })
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else if code := codeOf(err); code != "organization_not_found" && code != "change_in_progress" {
			t.Error(err)
		}
	}
	if won != 1 {
		t.Errorf("%d deleted it", won)
	}
	h.tidy()
}

// TestAStuckRenameHoldsOtherChangesOff has a rename whose cluster is away.
func TestAStuckRenameHoldsOtherChangesOff(t *testing.T) {
	h := newHouse(t)
	o := h.tenant("Acme")
	f := &faults{refuse: 1, crash: 2} // the renaming, and then all else
	s := h.serve(faultyRegistry{h.registry, f}, faultyCluster{h.cluster, f}, openHouse)
	if _, err := s.Update(h.ctx, o.owner, o.Slug, tenancy.UpdateInput{Name: ptr("Bolt")}); err == nil {
		t.Fatal("a rename without its cluster")
	}
	var told *app.Error
	err := h.Delete(h.ctx, o.owner, o.Slug, app.AnyRevision)
	if !errors.As(err, &told) || told.Code != "change_in_progress" || told.RetryAfter <= 0 {
		t.Errorf("delete: %v", err)
	}
	_, err = h.rename(o, "Third")
	h.wantCode(err, "change_in_progress")
	_, err = h.Update(h.ctx, o.owner, o.Slug, tenancy.UpdateInput{Email: ptr("new@house.example")})
	h.wantCode(err, "change_in_progress")
	_, err = h.Create(h.ctx, anonymous, input("Bolt"))
	h.wantCode(err, "organization_name_taken")
	_, err = h.Suspend(h.ctx, operator, o.Slug)
	h.ok(err)
	if _, err := h.Resume(h.ctx, operator, o.Slug); err != nil {
		t.Error(err)
	}
	h.note(o, "written-meanwhile")
	ended, err := h.Recover(h.ctx)
	if ended != 1 || err != nil {
		t.Fatal(ended, err)
	}
	h.hasNotes(o, "written-meanwhile")
	h.ok(h.Delete(h.ctx, o.owner, string(o.ID), app.AnyRevision))
	h.tidy()
}

// TestChangesAtOnce has everything at once on few names and organizations.
func TestChangesAtOnce(t *testing.T) {
	h := newHouse(t)
	rounds := 12
	if testing.Short() {
		rounds = 3
	}
	names := []string{"One", "Two", "Three", "Four"}
	allowed := map[string]bool{"organization_name_taken": true, "change_in_progress": true, "organization_not_found": true,
		"document_not_found": true, "organization_suspended": true}
	for _, err := range atOnce(8, func(i int) error {
		for n := range rounds {
			name := names[(i+n)%len(names)]
			org, err := h.Create(h.ctx, anonymous, input(name))
			if err != nil && !allowed[codeOf(err)] {
				return err
			}
			if err != nil {
				if org, err = h.Lookup(h.ctx, name); err != nil {
					continue
				}
			}
			owner := app.Actor{Kind: app.AsUser, UserID: org.OwnerID}
			acts := []func() error{
				func() error {
					_, err := h.rename(tenant{Organization: org, owner: owner}, names[(i+n+1)%4])
					return err
				},
				func() error {
					_, err := h.documents.Create(h.ctx, owner, string(org.ID), documents.CreateInput{Type: "t", Data: []byte("{}")})
					return err
				},
				func() error { _, err := h.Suspend(h.ctx, operator, string(org.ID)); return err },
				func() error { _, err := h.Resume(h.ctx, operator, string(org.ID)); return err },
				func() error { return h.Delete(h.ctx, operator, string(org.ID), app.AnyRevision) },
			}
			for _, act := range acts {
				if err := act(); err != nil && !allowed[codeOf(err)] {
					return err
				}
			}
		}
		return nil
	}) {
		h.ok(err)
	}
	h.tidy()
}
