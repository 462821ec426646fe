package mongodb

import (
	"context"
	"testing"

	"go.mongodb.org/mongo-driver/v2/event"

	"tenantry/app/mongodb/mongotest"
)

// watch notes what a registry or a cluster sends, and fails the test at a
// command that could reach another organization's documents, and at a
// transaction that is sent to a standalone server: the stand-in takes them,
// MongoDB refuses them with error 20.
func watch(t *testing.T, s *mongotest.Server, by string) *event.CommandMonitor {
	return &event.CommandMonitor{Started: func(ctx context.Context, e *event.CommandStartedEvent) {
		sentByTests.add(by, e)
		if by == "cluster" {
			if err := reaches(e.CommandName, e.Command, ownerOf(ctx)); err != nil {
				t.Errorf("a %s could reach another organization's documents: %v\n%.2000v", e.CommandName, err, e.Command)
			}
		}
		if s.Kind != mongotest.Standalone {
			return
		}
		if _, err := e.Command.LookupErr("startTransaction"); err == nil {
			t.Errorf("%s was sent in a transaction to a standalone server", e.CommandName)
		}
	}}
}
