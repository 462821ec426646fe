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
