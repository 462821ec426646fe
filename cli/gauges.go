package cli

import (
	"context"

	"tenantry/app/appliance"
	"tenantry/web"
)

// gauges are the figures of the storage.
func gauges(ctx context.Context, a *appliance.Appliance) []web.Gauge {
	var all []web.Gauge
	for store, load := range a.Load() {
		labels := map[string]string{"store": store}
		all = append(all,
			web.Gauge{Name: "storage_log_bytes", Help: "Size of the largest write-ahead log. It is cut back above 16 MiB; growth beyond means that somebody reads for long.",
				Labels: labels, Value: float64(load.LogBytes)},
			web.Gauge{Name: "storage_writes_waiting", Help: "Writes that wait for their turn.",
				Labels: labels, Value: float64(load.Waiting)})
	}
	budgets, err := a.Tenancy.Budgets(ctx)
	if err != nil {
		return all // the registry cannot be asked, which the readiness says
	}
	for name, b := range budgets {
		labels := map[string]string{"cluster": name}
		all = append(all,
			web.Gauge{Name: "cluster_namespaces", Help: "Organizations with a collection or a database of their own in a cluster that has a max_namespaces.",
				Labels: labels, Value: float64(b.Used)},
			web.Gauge{Name: "cluster_max_namespaces", Help: "The max_namespaces of a cluster. New organizations are shared when they are used up.",
				Labels: labels, Value: float64(b.Max)})
	}
	return all
}
