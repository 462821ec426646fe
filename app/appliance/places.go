package appliance

import (
	"tenantry/app"
	"tenantry/app/config"
	"tenantry/app/tenancy"
)

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
