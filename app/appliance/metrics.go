package appliance

import (
	"github.com/prometheus/client_golang/prometheus"

	"tenantry/app/circuit"
)

// Collectors are the figures of the stores that are reached over a network.
func (a *Appliance) Collectors() []prometheus.Collector {
	all := []prometheus.Collector{circuits{a}}
	if a.stores.metrics != nil {
		all = append(all, a.stores.metrics)
	}
	return all
}

// circuits are the figures of the circuits that there are at the moment.
type circuits struct{ a *Appliance }

var (
	storeAway = prometheus.NewDesc("tenantry_store_away",
		"1 while the store does not answer and nothing is sent to it, else 0.", []string{"store"}, nil)
	storeCalls = prometheus.NewDesc("tenantry_store_calls",
		"Calls to the store that are under way.", []string{"store"}, nil)
	storeRefused = prometheus.NewDesc("tenantry_store_refused_total",
		"Calls that were not sent to the store, since it did not answer others.", []string{"store"}, nil)
)

// Describe is prometheus.Collector's.
func (circuits) Describe(out chan<- *prometheus.Desc) {
	out <- storeAway
	out <- storeCalls
	out <- storeRefused
}

// Collect is prometheus.Collector's.
func (c circuits) Collect(out chan<- prometheus.Metric) {
	figures := func(name string, of *circuit.Circuit) {
		if of == nil {
			return
		}
		state, away := of.State(), 0.0
		if state.Open {
			away = 1
		}
		out <- prometheus.MustNewConstMetric(storeAway, prometheus.GaugeValue, away, name)
		out <- prometheus.MustNewConstMetric(storeCalls, prometheus.GaugeValue, float64(state.Waiting), name)
		out <- prometheus.MustNewConstMetric(storeRefused, prometheus.CounterValue, float64(state.Refused), name)
	}
	figures("registry", c.a.circuit)
	for _, s := range c.a.stores.now() {
		figures("cluster "+s.name, s.circuit)
	}
}
