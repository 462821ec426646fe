package client

import (
	"context"
	"net/http"
	"time"
)

// Status is a server's and its installation's figures.
type Status struct {
	Version       string          `json:"version"`
	StartedAt     time.Time       `json:"started_at"`
	Temporary     bool            `json:"temporary"` // it is inside a command, and ends with it
	Requests      RequestCount    `json:"requests"`
	Organizations StateCount      `json:"organizations"`
	Running       int             `json:"operations_running"` // counted up to 200
	Clusters      []ClusterHealth `json:"clusters"`
}

// RequestCount counts the requests since the server's start, without those for
// its status.
type RequestCount struct {
	Answered int64 `json:"answered"`
	Failed   int64 `json:"failed"` // of these, by a fault of the server
	InFlight int64 `json:"in_flight"`
}

// StateCount counts organizations by state.
type StateCount struct {
	Active    int64 `json:"active"`
	Suspended int64 `json:"suspended"`
	Deleted   int64 `json:"deleted"`
}

// ClusterHealth is how a cluster is.
type ClusterHealth struct {
	Name          string  `json:"name"`
	Status        string  `json:"status"` // "ok" or "failing"
	Detail        string  `json:"detail,omitempty"`
	LatencyMS     float64 `json:"latency_ms"` // that it took to say so
	Organizations int64   `json:"organizations"`
}

// Status gives the figures. For operators.
func (c *Client) Status(ctx context.Context) (Status, error) {
	var out Status
	_, err := c.do(ctx, call{method: http.MethodGet, path: "/v1/status"}, &out)
	return out, err
}
