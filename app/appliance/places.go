package appliance

import (
	"tenantry/app"
	"tenantry/app/config"
	"tenantry/app/tenancy"
)

// places are the open clusters with what the configuration allows there.
func (a *Appliance) places(cfg config.Config) *tenancy.Clusters {
	places := make(map[string]tenancy.Place, len(a.clusters))
	for name, cluster := range a.clusters {
		c := cfg.Clusters[name]
		places[name] = tenancy.Place{Cluster: cluster, Isolations: isolations(c.Isolations), MaxNamespaces: c.MaxNamespaces}
	}
	return tenancy.NewClusters(places)
}

func isolations(words []string) []app.Isolation {
	list := make([]app.Isolation, len(words))
	for i, w := range words {
		list[i] = app.Isolation(w)
	}
	return list
}

func rules(configured []config.PlacementRule) []tenancy.Rule {
	list := make([]tenancy.Rule, len(configured))
	for i, r := range configured {
		list[i] = tenancy.Rule{Field: r.Field, Value: r.Value, Clusters: r.Clusters, Isolation: app.Isolation(r.Isolation)}
	}
	return list
}
