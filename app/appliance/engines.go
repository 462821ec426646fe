package appliance

import (
	"context"
	"fmt"

	"tenantry/app"
	"tenantry/app/circuit"
	"tenantry/app/config"
	"tenantry/app/failpoint"
	"tenantry/app/mongodb"
	"tenantry/app/sqlite"
)

// openRegistry opens the registry on whichever engine its URL names. The circuit
// is nil where it is not reached over a network.
func (s *stores) openRegistry(ctx context.Context) (app.Registry, *circuit.Circuit, error) {
	if config.IsMongoDB(s.cfg.Registry.URL) {
		o := s.options(config.Cluster{URL: s.cfg.Registry.URL})
		o.Lease, o.Patience = s.cfg.PlacementLease, failpoint.Hurry()
		r, err := mongodb.OpenRegistry(ctx, o)
		if err != nil {
			return nil, nil, err // a nil *mongodb.Registry would be no nil app.Registry
		}
		around, c := circuit.Registry(r, s.log)
		return failpoint.Registry(around), c, nil
	}
	r, err := sqlite.OpenRegistry(ctx, s.folders.data(), s.cfg.Path(s.cfg.Registry.URL), sqlite.RegistryOptions{AppVersion: s.version, Logger: s.log})
	if err != nil {
		return nil, nil, fmt.Errorf("registry: %w", err)
	}
	return failpoint.Registry(r), nil, nil
}

// AwayError says that a MongoDB server could not be used at start.
type AwayError = mongodb.AwayError
