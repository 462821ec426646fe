package tenancy_test

import (
	"context"
	"errors"
	"testing"

	"tenantry/app"
	"tenantry/app/tenancy"
)

// unlisted is a registry that does not say which operations there are.
type unlisted struct {
	app.Registry
	err error
}

func (r *unlisted) ListOperations(context.Context, app.OperationQuery) ([]app.Operation, error) {
	return nil, r.err
}

// What is not known of other drains begins none.
func TestDrainWhereTheRegistryDoesNotAnswer(t *testing.T) {
	h := newHouse(t)
	serve := secondCluster(h)
	away := app.Unavailable("The registry", nil)
	s := serve(&unlisted{h.registry, away}, openHouse)
	if _, err := s.DrainCluster(h.ctx, operator, "default", tenancy.DrainInput{To: "second"}); !errors.Is(err, away) {
		t.Errorf("drained: %v", err)
	}
	if _, err := s.OpenCluster(h.ctx, operator, "default"); !errors.Is(err, away) {
		t.Errorf("opened: %v", err)
	}
	list, err := h.registry.AddedClusters(h.ctx)
	h.ok(err)
	for _, k := range list {
		if k.Closing {
			t.Errorf("the cluster %s was closed", k.Name)
		}
	}
}

// A drain that is cancelled takes back the relocations that it has begun, and not
// what an operator has begun since.
func TestACancelledDrainLeavesTheOperatorsOwn(t *testing.T) {
	h := newHouse(t)
	s := secondCluster(h)(h.registry, openHouse)
	begin := func(kind app.OperationKind) app.Operation {
		at := app.Now()
		return app.Operation{ID: app.NewID[app.OperationID](), Kind: kind, State: app.OperationRunning, CreatedAt: at, UpdatedAt: at}
	}
	drain := begin(app.OperationDrain)
	drain.Drain = &app.Drain{Cluster: "default", To: "second", Total: 2, Left: 2}
	h.ok(h.registry.BeginDrain(h.ctx, drain))
	moving := map[app.OperationID]app.Operation{} // by what has begun it
	for _, by := range []app.OperationID{drain.ID, ""} {
		org := h.tenant("Of " + string(by)).Organization
		op := begin(app.OperationRelocate)
		op.OrganizationID, op.Placement = org.ID, org.Placement
		target := org.Placement
		target.Cluster = "second"
		op.Relocation = &app.Relocation{Source: org.Placement, Target: target, Drain: by, Phase: app.RelocationPreflight, Generation: org.Placement.Generation + 1}
		h.ok(h.registry.BeginRelocation(h.ctx, op))
		moving[by] = op
	}
	ended, err := s.CancelOperation(h.ctx, operator, string(drain.ID))
	if err != nil || ended.State != app.OperationCancelled {
		t.Fatalf("the drain is %s (%v)", ended.State, err)
	}
	for by, op := range moving {
		now, err := h.registry.Operation(h.ctx, op.ID)
		h.ok(err)
		if undoing := now.State == app.OperationCancelling || now.State == app.OperationCancelled; undoing != (by == drain.ID) {
			t.Errorf("the relocation that %q has begun is %s", by, now.State)
		}
	}
}
