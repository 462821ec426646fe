//go:build !failpoint

package failpoint

import (
	"time"

	"go.mongodb.org/mongo-driver/v2/event"

	"tenantry/app"
)

// Registry gives back what it is given.
func Registry(r app.Registry) app.Registry { return r }

// Cluster gives back what it is given.
func Cluster(c app.Cluster) app.Cluster { return c }

// Monitor gives none.
func Monitor() *event.CommandMonitor { return nil }

// Hurry is zero: the ordinary time.
func Hurry() time.Duration { return 0 }
