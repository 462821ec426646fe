package appliance

import (
	"github.com/prometheus/client_golang/prometheus"

	"tenantry/app/circuit"
)

// Collectors are the figures of the stores that are reached over a network.
func (a *Appliance) Collectors() []prometheus.Collector {
	var all []prometheus.Collector
	if a.metrics != nil {
		all = append(all, a.metrics)
	}
	for name, c := range a.circuits {
		all = append(all, circuitFigures(name, c)...)
	}
	return all
}

func circuitFigures(store string, c *circuit.Circuit) []prometheus.Collector {
	labels := prometheus.Labels{"store": store}
	return []prometheus.Collector{
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "tenantry_store_away", ConstLabels: labels,
			Help: "1 while the store does not answer and nothing is sent to it, else 0."},
			func() float64 {
				if c.State().Open {
					return 1
				}
				return 0
			}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "tenantry_store_calls", ConstLabels: labels,
			Help: "Calls to the store that are under way."},
			func() float64 { return float64(c.State().Waiting) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "tenantry_store_refused_total", ConstLabels: labels,
			Help: "Calls that were not sent to the store, since it did not answer others."},
			func() float64 { return float64(c.State().Refused) }),
	}
}
