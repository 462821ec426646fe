package mongodb

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
	"go.mongodb.org/mongo-driver/v2/event"
)

// Metrics are figures of the connections to MongoDB servers, as the driver
// reports them. It is a prometheus.Collector for any number of stores. Its
// labels are bounded: stores are of the configuration, commands of the program,
// reasons of the driver.
type Metrics struct {
	commands *prometheus.HistogramVec
	open     *prometheus.GaugeVec
	inUse    *prometheus.GaugeVec
	waiting  *prometheus.GaugeVec
	waited   *prometheus.HistogramVec
	failures *prometheus.CounterVec
	cleared  *prometheus.CounterVec
}

// NewMetrics makes figures that are all zero.
func NewMetrics() *Metrics {
	const store = "store"
	gauge := func(name, help string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "tenantry_mongodb_pool_" + name, Help: help}, []string{store})
	}
	return &Metrics{
		commands: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "tenantry_mongodb_command_duration_seconds",
			Help:    "Time from sending a command to its answer, or to giving it up.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .05, .1, .5, 1, 5, 10}}, []string{store, "command", "outcome"}),
		open:    gauge("connections", "Connections that are open, those of the heartbeat aside."),
		inUse:   gauge("in_use", "Connections on which a command is under way."),
		waiting: gauge("waiting", "Commands that wait for a connection."),
		waited: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "tenantry_mongodb_pool_wait_seconds",
			Help: "Time until a command had a connection.", Buckets: []float64{.0001, .001, .01, .1, 1, 10}}, []string{store}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "tenantry_mongodb_pool_checkout_failures_total",
			Help: "Commands that got no connection."}, []string{store, "reason"}),
		cleared: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "tenantry_mongodb_pool_cleared_total",
			Help: "Times that all connections to a server were given up, because one of them failed."}, []string{store}),
	}
}

func (m *Metrics) all() []prometheus.Collector {
	return []prometheus.Collector{m.commands, m.open, m.inUse, m.waiting, m.waited, m.failures, m.cleared}
}

// Describe is prometheus.Collector's.
func (m *Metrics) Describe(out chan<- *prometheus.Desc) {
	for _, c := range m.all() {
		c.Describe(out)
	}
}

// Collect is prometheus.Collector's.
func (m *Metrics) Collect(out chan<- prometheus.Metric) {
	for _, c := range m.all() {
		c.Collect(out)
	}
}

// watchCommands reports a store's commands here and to next, which may be nil.
// Without metrics it is next.
func (m *Metrics) watchCommands(store string, next *event.CommandMonitor) *event.CommandMonitor {
	if m == nil {
		return next
	}
	if next == nil {
		next = &event.CommandMonitor{}
	}
	return &event.CommandMonitor{
		Started: next.Started,
		Succeeded: func(ctx context.Context, e *event.CommandSucceededEvent) {
			m.commands.WithLabelValues(store, e.CommandName, "ok").Observe(e.Duration.Seconds())
			if next.Succeeded != nil {
				next.Succeeded(ctx, e)
			}
		},
		Failed: func(ctx context.Context, e *event.CommandFailedEvent) {
			m.commands.WithLabelValues(store, e.CommandName, "failed").Observe(e.Duration.Seconds())
			if next.Failed != nil {
				next.Failed(ctx, e)
			}
		},
	}
}

// watchPool reports a store's connections; nil without metrics.
func (m *Metrics) watchPool(store string) *event.PoolMonitor {
	if m == nil {
		return nil
	}
	open, inUse, waiting := m.open.WithLabelValues(store), m.inUse.WithLabelValues(store), m.waiting.WithLabelValues(store)
	for _, reason := range []string{event.ReasonTimedOut, event.ReasonConnectionErrored, event.ReasonPoolClosed} {
		m.failures.WithLabelValues(store, reason) // so that the first failure is a step up
	}
	waited, cleared := m.waited.WithLabelValues(store), m.cleared.WithLabelValues(store)
	return &event.PoolMonitor{Event: func(e *event.PoolEvent) {
		switch e.Type {
		case event.ConnectionCreated:
			open.Inc()
		case event.ConnectionClosed:
			open.Dec()
		case event.ConnectionCheckOutStarted:
			waiting.Inc()
		case event.ConnectionCheckedOut:
			waiting.Dec()
			inUse.Inc()
			waited.Observe(e.Duration.Seconds())
		case event.ConnectionCheckOutFailed:
			waiting.Dec()
			m.failures.WithLabelValues(store, e.Reason).Inc()
		case event.ConnectionCheckedIn:
			inUse.Dec()
		case event.ConnectionPoolCleared:
			cleared.Inc()
		}
	}}
}
