package web

import (
	"cmp"
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"tenantry/app"
	"tenantry/app/tenancy"
)

type serverStatusView struct {
	Version       string              `json:"version"`
	StartedAt     string              `json:"started_at" format:"date-time"`
	Temporary     bool                `json:"temporary" doc:"Whether this server is inside of a command, such as the terminal UI on a folder that nobody served, and ends with it."`
	Requests      requestCountView    `json:"requests"`
	Organizations stateCountView      `json:"organizations"`
	Running       int                 `json:"operations_running" doc:"Operations under way, counted up to 200."`
	Clusters      []clusterHealthView `json:"clusters" nullable:"false"`
}

type requestCountView struct {
	Answered int64 `json:"answered" doc:"Since the start, without those for this route."`
	Failed   int64 `json:"failed" doc:"Of these, those answered 5xx: the server's own faults."`
	InFlight int64 `json:"in_flight" doc:"Being answered now, this one among them."`
}

type stateCountView struct {
	Active    int64 `json:"active"`
	Suspended int64 `json:"suspended"`
	Deleted   int64 `json:"deleted" doc:"That can still be restored."`
}

type clusterHealthView struct {
	Name          string  `json:"name"`
	Status        string  `json:"status" enum:"ok,failing"`
	Detail        string  `json:"detail,omitempty" doc:"What is wrong, where it can be told."`
	LatencyMS     float64 `json:"latency_ms" doc:"How long the cluster took to say how it is."`
	Organizations int64   `json:"organizations" doc:"Those that the registry places here."`
}

type serverStatusOutput struct{ Body *serverStatusView }

// serverStatus is for whoever watches: it measures no data.
func (s *Server) serverStatus(ctx context.Context, _ *struct{}) (*serverStatusOutput, error) {
	overview, err := s.services.Tenancy.Overview(ctx, callOf(ctx).actor)
	if err != nil {
		return nil, err
	}
	view := &serverStatusView{
		Version: s.services.Version, StartedAt: formatTime(s.started.UTC()), Temporary: s.opts.Temporary, Requests: s.metrics.count(statusPath),
		Organizations: stateCountView{Active: overview.Active, Suspended: overview.Suspended, Deleted: overview.Deleted},
		Running:       overview.Running,
		Clusters:      make([]clusterHealthView, len(overview.Clusters)),
	}
	for i, c := range overview.Clusters {
		view.Clusters[i] = viewClusterHealth(c)
	}
	return &serverStatusOutput{view}, nil
}

func viewClusterHealth(c tenancy.ClusterHealth) clusterHealthView {
	v := clusterHealthView{Name: c.Name, LatencyMS: float64(c.Latency) / float64(time.Millisecond), Organizations: c.Organizations}
	v.Status, v.Detail = healthWords(c.Health)
	return v
}

// healthWords tells operators of a cluster's health.
func healthWords(health error) (status, detail string) {
	if health == nil {
		return "ok", ""
	}
	return "failing", cmp.Or(app.Told(health), "See the server's log.")
}

// count sums the requests of all routes but one. The counters are the
// metrics' own: nothing more is counted for it while requests are answered.
func (m *metrics) count(except string) requestCountView {
	var sum requestCountView
	collected := make(chan prometheus.Metric)
	go func() {
		m.requests.Collect(collected)
		close(collected)
	}()
	for metric := range collected {
		var read dto.Metric
		if metric.Write(&read) != nil {
			continue // it fails for no counter
		}
		labels := map[string]string{}
		for _, l := range read.GetLabel() {
			labels[l.GetName()] = l.GetValue()
		}
		if labels["route"] == except {
			continue
		}
		n := int64(read.GetCounter().GetValue())
		sum.Answered += n
		if labels["status"] >= "500" {
			sum.Failed += n
		}
	}
	var inFlight dto.Metric
	if m.inFlight.Write(&inFlight) == nil {
		sum.InFlight = int64(inFlight.GetGauge().GetValue())
	}
	return sum
}
