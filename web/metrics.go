package web

import (
	"context"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// metrics are the server's figures. Labels are route templates, methods and
// statuses: bounded, and nothing of a tenant's.
type metrics struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	inFlight prometheus.Gauge
}

func newMetrics(r *prometheus.Registry, services Services) (*metrics, error) {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tenantry_http_requests_total", Help: "Requests answered."}, []string{"method", "route", "status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "tenantry_http_request_duration_seconds", Help: "Time from a request's arrival to its answer.",
			Buckets: []float64{.0001, .0005, .001, .005, .01, .05, .1, .5, 1, 5, 15}}, []string{"method", "route"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "tenantry_http_requests_in_flight", Help: "Requests being answered."}),
	}
	all := []prometheus.Collector{
		m.requests, m.duration, m.inFlight,
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "tenantry_build_info", Help: "Always 1.",
			ConstLabels: prometheus.Labels{"version": services.Version}}, func() float64 { return 1 }),
	}
	if services.Gauges != nil {
		all = append(all, gauges(services.Gauges))
	}
	all = append(all, hashMetrics(services)...)
	all = append(all, services.Collectors...)
	for _, c := range all {
		if err := r.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// scrapeTimeout bounds the asking for figures that the server does not know
// itself.
const scrapeTimeout = 3 * time.Second

// gauges are figures of things that come and go while the server runs.
type gauges func(context.Context) []Gauge

// Describe names none of them: which there are is known at each scrape.
func (gauges) Describe(chan<- *prometheus.Desc) {}

// Collect asks for them.
func (g gauges) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	for _, v := range g(ctx) {
		desc := prometheus.NewDesc("tenantry_"+v.Name, v.Help, nil, v.Labels)
		if m, err := prometheus.NewConstMetric(desc, prometheus.GaugeValue, v.Value); err == nil {
			out <- m
		}
	}
}

func hashMetrics(services Services) []prometheus.Collector {
	stats := services.HashStats
	if stats == nil {
		return nil
	}
	gauge := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "tenantry_password_" + name, Help: help}, value)
	}
	counter := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "tenantry_password_" + name, Help: help}, value)
	}
	return []prometheus.Collector{
		gauge("workers", "Threads that hash passwords.", func() float64 { return float64(stats().Workers) }),
		gauge("running", "Passwords being hashed.", func() float64 { return float64(stats().Running) }),
		gauge("queued", "Passwords that wait to be hashed.", func() float64 { return float64(stats().Queued) }),
		counter("hashed_total", "Passwords hashed.", func() float64 { return float64(stats().Hashed) }),
		counter("refused_total", "Passwords refused because too many waited.", func() float64 { return float64(stats().Refused) }),
		counter("busy_seconds_total", "Time spent hashing.", func() float64 { return stats().Busy.Seconds() }),
	}
}

// routeMetrics are the figures of one route and method, looked up once.
type routeMetrics struct {
	vec           *prometheus.CounterVec
	method, route string
	duration      prometheus.Observer
	byStatus      [500]atomic.Pointer[prometheus.Counter]
}

func (m *metrics) of(method, route string) *routeMetrics {
	return &routeMetrics{vec: m.requests, method: method, route: route,
		duration: m.duration.WithLabelValues(method, route)}
}

func (m *routeMetrics) observe(status int, took time.Duration) {
	m.duration.Observe(took.Seconds())
	if status < 100 || status >= 600 {
		return
	}
	kept := &m.byStatus[status-100]
	counter := kept.Load()
	if counter == nil {
		c := m.vec.WithLabelValues(m.method, m.route, strconv.Itoa(status))
		counter = &c
		kept.Store(counter)
	}
	(*counter).Inc()
}
