package appliance

import (
	"context"
	"fmt"

	"tenantry/app"
)

// LostRegistryError says that a cluster holds data and the registry, which
// should say whose it is, was made just now.
type LostRegistryError struct {
	Cluster    string
	Namespaces int
}

func (e *LostRegistryError) Error() string {
	return fmt.Sprintf("the registry is new, but the cluster %s holds the data of %d organizations, which nobody could reach any more; "+
		"restore the registry from a backup, check registry.url, or give this installation clusters of its own", e.Cluster, e.Namespaces)
}

// refuseLostRegistry refuses to begin anew over data that a lost or mistaken
// registry has left: what is made on top of it is in the way of its being
// restored. A cluster that cannot be looked at now is passed over.
func (a *Appliance) refuseLostRegistry(ctx context.Context) error {
	// Whoever served here before has made a key. An operator may have removed
	// the signing keys to have others; the organizations are there then.
	keys, err := a.registry.SigningKeys(ctx)
	if err != nil || len(keys) > 0 {
		return err
	}
	n, err := a.registry.CountOrganizations(ctx, app.OrganizationQuery{})
	if err != nil || n > 0 {
		return err
	}
	for _, s := range a.stores.now() {
		name := s.name
		found, err := s.cluster.Namespaces(ctx)
		if err != nil {
			a.log.Warn("a cluster was not looked at", "cluster", name, "error", err)
			continue
		}
		if len(found) > 0 {
			return &LostRegistryError{Cluster: name, Namespaces: len(found)}
		}
	}
	return nil
}
