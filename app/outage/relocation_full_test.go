package outage_test

import (
	"strings"
	"sync/atomic"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"tenantry/app/config"
	"tenantry/app/mongodb/mongotest"
)

// A MongoDB that an organization moves to has no room left.
func TestTheTargetIsFull(t *testing.T) {
	t.Parallel()
	m := mongotest.Shared(t, mongotest.Standalone)
	between := mongotest.Between(t, m.Primary(t))
	var full atomic.Bool
	between.Judge(func(c mongotest.Command) *mongotest.Interference {
		switch c.Name {
		case "insert", "update", "delete", "findAndModify", "bulkWrite", "create", "createIndexes", "collMod", "renameCollection":
			if full.Load() {
				return &mongotest.Interference{Error: bson.D{{Key: "ok", Value: 0.0}, {Key: "code", Value: 14031},
					{Key: "codeName", Value: "OutOfDiskSpace"}, {Key: "errmsg", Value: "no room, by the test"}}}
			}
		}
		return nil
	})
	noRoom(t, m.Through(between.Address, m.Database(t)), func() (free func()) {
		full.Store(true)
		return func() { full.Store(false) }
	})
}

// noRoom tells the story of an organization that moves from files to a cluster at
// a URL, where there is no room left while it is copied. It says so, and the
// organization is served where it is; it can be cancelled, and goes on when there
// is room.
func noRoom(t *testing.T, url string, fill func() (free func())) {
	t.Helper()
	s := open(t, func(c *config.Config) {
		c.Clusters = map[string]config.Cluster{"near": at("sqlite:near"), "full": at(url)}
		c.Placement.Cluster = "near"
		c.OperationWait /= 100
		c.RelocationDocumentsPerSecond = 200
	})
	org, token := s.settle("Ledger", place{"near", "collection"})
	there := s.furnish("ledger", token, 200)
	work := begin(8, &book{t: t, servers: []*site{s}, org: "ledger", token: token, brief: true})
	work.goesOn(t, "it begins")
	fills := func(op string) (free func()) {
		t.Helper()
		comes(t, op, []*site{s}, "copying")
		free = fill()
		var a answer
		awaitEvery(t, look, "it is said that there is no room", func() bool {
			a = s.want(200, "GET", "/v1/operations/"+op, s.key, nil)
			return strings.Contains(a.Text("error"), "There is no room left on the disk of")
		})
		if state := a.Text("state"); state != "copying" {
			t.Errorf("without room it is %s", state)
		}
		work.goesOn(t, "the organization is served where it is")
		return free
	}

	op := s.relocate(org, place{"full", "collection"})
	free := fills(op)
	s.turn(op, "cancel")
	a := comes(t, op, []*site{s}, "cancelled")
	t.Logf("cancelled: %s", a.Text("error"))
	work.goesOn(t, "the organization is served where it is")
	free()

	op = s.relocate(org, place{"full", "collection"})
	free = fills(op)
	free()
	comes(t, op, []*site{s}, "switched")
	s.turn(op, "complete")
	comes(t, op, []*site{s}, "completed")
	if refused := work.refused(); refused > 0 {
		t.Errorf("%d writes were refused", refused)
	}
	work.end(t, s)
	there.check(s)
}
