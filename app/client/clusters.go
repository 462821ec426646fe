package client

import (
	"context"
	"net/http"
	"net/url"
)

// Cluster is a place that stores tenant data. What could not be measured is
// nil.
type Cluster struct {
	Name          string        `json:"name"`
	Status        string        `json:"status"` // "ok" or "failing"
	Detail        string        `json:"detail,omitempty"`
	DryRun        bool          `json:"dry_run,omitempty"` // nothing was changed
	Origin        string        `json:"origin"`            // "configuration" or "added"
	State         string        `json:"state"`             // "open" or "closing"
	Organizations int64         `json:"organizations"`
	Isolations    []string      `json:"isolations"` // allowed there
	Budget        *Budget       `json:"budget,omitempty"`
	Engine        string        `json:"engine,omitempty"`
	Version       string        `json:"version,omitempty"`
	Capabilities  *Capabilities `json:"capabilities,omitempty"`
	Namespaces    *int64        `json:"namespaces,omitempty"`
	Documents     *int64        `json:"documents,omitempty"`
	Bytes         *int64        `json:"bytes,omitempty"`
}

// Budget is how many of a cluster's namespaces are used.
type Budget struct {
	MaxNamespaces int    `json:"max_namespaces"`
	Used          int64  `json:"used"`
	State         string `json:"state"` // "ok", "low" or "full"
}

// Capabilities is what a cluster can do.
type Capabilities struct {
	Isolations   []string `json:"isolations"`
	Transactions bool     `json:"transactions"`
	// Fenced: organizations can be moved to it and from it.
	Fenced bool `json:"fenced"`
}

// Clusters lists the clusters. For operators.
func (c *Client) Clusters(ctx context.Context) ([]Cluster, error) {
	var out struct {
		Items []Cluster `json:"items"`
	}
	_, err := c.do(ctx, call{method: http.MethodGet, path: "/v1/clusters"}, &out)
	return out.Items, err
}

// AddCluster is a cluster that is to be added. What is zero is as for one of the
// configuration.
type AddCluster struct {
	Name          string   `json:"name"`
	URL           string   `json:"url"`
	Shards        int      `json:"shards,omitempty"`
	Isolations    []string `json:"isolations,omitempty"`
	MaxNamespaces int      `json:"max_namespaces,omitempty"`
	DryRun        bool     `json:"dry_run,omitempty"` // only find out whether it can be added
}

// AddCluster adds a cluster while servers run. For operators.
func (c *Client) AddCluster(ctx context.Context, in AddCluster) (Cluster, error) {
	var out Cluster
	_, err := c.do(ctx, call{method: http.MethodPost, path: "/v1/clusters", body: in}, &out)
	return out, err
}

// RemoveCluster removes a cluster that was added and that nobody lives in, and
// gives it as it was. A dry run finds out whether it can be removed. For operators.
func (c *Client) RemoveCluster(ctx context.Context, name string, dryRun bool) (Cluster, error) {
	q := url.Values{}
	if dryRun {
		q.Set("dry_run", "true")
	}
	var out Cluster
	_, err := c.do(ctx, call{method: http.MethodDelete, path: "/v1/clusters/" + segment(name), query: q}, &out)
	return out, err
}

// DrainCluster says how a cluster is emptied.
type DrainCluster struct {
	To       string `json:"to,omitempty"`       // "": to where the placement sends everybody
	Complete bool   `json:"complete,omitempty"` // without a grace period
	DryRun   bool   `json:"dry_run,omitempty"`  // only ask what would be moved
}

// Drain is how far the emptying of a cluster came.
type Drain struct {
	Cluster  string         `json:"cluster"`
	To       string         `json:"to,omitempty"`
	Complete bool           `json:"complete"`
	Total    int64          `json:"total"`            // organizations at the beginning
	Left     int64          `json:"left"`             // that live there still
	Failures int64          `json:"failures"`         // that could not be moved
	Failed   []DrainFailure `json:"failed,omitempty"` // the first of them
	Plan     *DrainPlan     `json:"plan,omitempty"`   // of a dry run
}

// DrainFailure is an organization that could not be moved.
type DrainFailure struct {
	OrganizationID string `json:"organization_id"`
	Slug           string `json:"slug"`
	Reason         string `json:"reason"`
}

// DrainPlan is what a drain would do.
type DrainPlan struct {
	Documents int64         `json:"documents"`
	Bytes     int64         `json:"bytes"`
	Targets   []DrainTarget `json:"targets"`
	Stay      int64         `json:"stay"`  // that could not be moved now
	Moves     []DrainMove   `json:"moves"` // the first of them
}

// DrainTarget is how many would go to a cluster.
type DrainTarget struct {
	Cluster       string `json:"cluster"`
	Organizations int64  `json:"organizations"`
	Room          *Room  `json:"room,omitempty"` // nil: nobody who would go there was measured
}

// DrainMove is where one organization would go, or why it could not now.
type DrainMove struct {
	OrganizationID string  `json:"organization_id"`
	Slug           string  `json:"slug"`
	Cluster        string  `json:"cluster,omitempty"`
	Isolation      string  `json:"isolation,omitempty"`
	Size           *Amount `json:"size,omitempty"` // nil: not looked at
	Reason         string  `json:"reason,omitempty"`
}

// DrainCluster moves everybody out of a cluster. The operation may still be under
// way. For operators.
func (c *Client) DrainCluster(ctx context.Context, name string, in DrainCluster) (Operation, error) {
	var out Operation
	_, err := c.do(ctx, call{method: http.MethodPost, path: "/v1/clusters/" + segment(name) + "/drain", body: in}, &out)
	return out, err
}

// OpenCluster lets a cluster take organizations again. For operators.
func (c *Client) OpenCluster(ctx context.Context, name string) (Cluster, error) {
	var out Cluster
	_, err := c.do(ctx, call{method: http.MethodPost, path: "/v1/clusters/" + segment(name) + "/open"}, &out)
	return out, err
}

// Finding is one thing that is not as it should be.
type Finding struct {
	Kind           string `json:"kind"`
	OrganizationID string `json:"organization_id,omitempty"`
	Cluster        string `json:"cluster,omitempty"`
	Database       string `json:"database,omitempty"`
	Collection     string `json:"collection,omitempty"`
	OperationID    string `json:"operation_id,omitempty"`
	Detail         string `json:"detail"`
	Repaired       bool   `json:"repaired"`
}

// Doctor compares the registry with the clusters; repair mends what no data
// can be lost by. For operators.
func (c *Client) Doctor(ctx context.Context, repair bool) ([]Finding, error) {
	var out struct {
		Findings []Finding `json:"findings"`
	}
	_, err := c.do(ctx, call{method: http.MethodPost, path: "/v1/doctor", body: map[string]bool{"repair": repair}}, &out)
	return out.Findings, err
}
