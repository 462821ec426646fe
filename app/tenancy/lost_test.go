package tenancy_test

import (
	"database/sql"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"tenantry/app"
	"tenantry/app/documents"
	"tenantry/app/mongodb/mongotest"
	"tenantry/app/tenancy"
)

// Data that somebody else has removed is missed by the doctor and by whoever
// asks for it; nothing is made in its place, and its owner is told.
func TestDataThatSomebodyElseHasRemoved(t *testing.T) {
	for name, c := range map[string]struct {
		house  func(t *testing.T) *house
		remove func(h *house, p app.Placement) error
	}{
		"sqlite": {func(t *testing.T) *house { return newHouse(t) }, func(h *house, p app.Placement) error {
			db, err := sql.Open("sqlite", filepath.Join(h.folder, "clusters", p.Database+".db"))
			if err == nil {
				_, err = db.ExecContext(h.ctx, `DROP TABLE "`+p.Collection+`"`)
			}
			return errors.Join(err, db.Close())
		}},
		"mongodb": {func(t *testing.T) *house { return mongoHouse(t, mongotest.Shared(t, mongotest.ReplicaSet)) }, func(h *house, p app.Placement) error {
			return mongotest.Shared(h.t, mongotest.ReplicaSet).Client().Database(p.Database).Collection(p.Collection).Drop(h.ctx)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			h := c.house(t)
			acme, bolt := h.tenant("Acme"), h.tenant("Bolt")
			for _, who := range []tenant{acme, bolt} {
				_, err := h.documents.Create(h.ctx, who.owner, string(who.ID), documents.CreateInput{ID: "d", Type: "t", Data: []byte("{}")})
				h.ok(err)
			}
			h.ok(c.remove(h, acme.Placement))
			_, err := h.documents.Get(h.ctx, acme.owner, string(acme.ID), "d")
			h.wantCode(err, "storage_missing")
			_, err = h.documents.Create(h.ctx, acme.owner, string(acme.ID), documents.CreateInput{ID: "e", Type: "t", Data: []byte("{}")})
			h.wantCode(err, "storage_missing")
			for _, repair := range []bool{false, true} {
				found, err := h.Doctor(h.ctx, operator, repair)
				h.ok(err)
				if len(found) != 1 || found[0].Kind != tenancy.FindingMissing || found[0].Organization != acme.ID || found[0].Repaired {
					t.Fatalf("repair %v: %+v", repair, found)
				}
			}
			_, err = h.documents.Get(h.ctx, bolt.owner, string(bolt.ID), "d")
			h.ok(err)
			h.ok(h.Delete(h.ctx, operator, string(acme.ID), app.AnyRevision))
			found, err := h.Doctor(h.ctx, operator, false)
			h.ok(err)
			if len(found) != 0 {
				t.Fatalf("after its deletion: %+v", found)
			}
		})
	}
}

// What is in a collection that came back by an insertion is taken over by the
// doctor, who may repair.
func TestTheDoctorTakesOverWhatCameBack(t *testing.T) {
	s := mongotest.Shared(t, mongotest.ReplicaSet)
	h := mongoHouse(t, s)
	acme := h.tenant("Acme")
	h.ok(s.Client().Database(acme.Placement.Database).Collection(acme.Placement.Collection).Drop(h.ctx))
	_, err := h.documents.Create(h.ctx, acme.owner, string(acme.ID), documents.CreateInput{ID: "e", Type: "t", Data: []byte("{}")})
	h.ok(err) // it is not noticed at once
	for end := time.Now().Add(time.Minute); err == nil && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		_, err = h.documents.Get(h.ctx, acme.owner, string(acme.ID), "e")
	}
	h.wantCode(err, "storage_unfenced")
	found, err := h.Doctor(h.ctx, operator, false)
	h.ok(err)
	if len(found) != 1 || found[0].Kind != tenancy.FindingUnfenced || found[0].Repaired {
		t.Fatalf("%+v", found)
	}
	found, err = h.Doctor(h.ctx, operator, true)
	h.ok(err)
	if len(found) != 1 || !found[0].Repaired {
		t.Fatalf("%+v", found)
	}
	_, err = h.documents.Get(h.ctx, acme.owner, string(acme.ID), "e")
	h.ok(err)
}
