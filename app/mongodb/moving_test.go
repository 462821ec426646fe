package mongodb

import (
	"testing"

	"tenantry/app/mongodb/mongotest"
	"tenantry/app/storagetest"
)

// Nothing of moving depends on transactions, so one kind of server will do where
// there is little time.
func TestMoving(t *testing.T) {
	eachOwn(t, func(t *testing.T, s *mongotest.Server) {
		if testing.Short() && s.Kind == mongotest.ReplicaSet {
			t.Skip("a long story, told on a standalone server")
		}
		storagetest.Moving(t, func(t *testing.T) storagetest.MovingCluster {
			c := openTestCluster(t, s, s.Database(t))
			t.Cleanup(func() { _ = c.Close() })
			return bare{owned{c}, s.Client()}
		}, isolations...)
	})
}
