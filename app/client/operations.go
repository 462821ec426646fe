package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Operation is a durable act of several steps.
type Operation struct {
	ID             string `json:"id"`
	Kind           string `json:"kind"` // "create", "rename", "relocate", "delete" or "drain"
	OrganizationID string `json:"organization_id"`
	// State is "running", "completed", "failed", "cancelled" or "reverted". Of a
	// relocation under way it is how far that is, such as "copying"; see Open.
	State      string      `json:"state"`
	DryRun     bool        `json:"dry_run,omitempty"` // nothing was begun
	Undoing    bool        `json:"undoing"`           // what it did is being undone
	Step       string      `json:"step"`              // that was refused last
	Progress   Progress    `json:"progress"`
	Rate       float64     `json:"rate,omitempty"`     // documents a second
	Estimate   float64     `json:"estimate,omitempty"` // seconds from now
	DueAt      *time.Time  `json:"due_at,omitempty"`   // when a deletion removes the data, or a relocation what was left
	Relocation *Relocation `json:"relocation,omitempty"`
	Drain      *Drain      `json:"drain,omitempty"`
	Attempts   int         `json:"attempts"`
	Error      string      `json:"error,omitempty"`
	CreatedAt  time.Time   `json:"created_at"`
	UpdatedAt  time.Time   `json:"updated_at"`
}

// Open reports whether there is still something to do.
func (o Operation) Open() bool {
	switch o.State {
	case "completed", "failed", "cancelled", "reverted":
		return false
	}
	return true
}

// Progress counts steps; of a relocation documents, each when it is copied and
// when it is compared.
type Progress struct {
	Done  int `json:"done"`
	Total int `json:"total"`
}

// ListOperations says which operations are listed.
type ListOperations struct {
	Organization, Kind, State, Cursor string
	Limit                             int
}

// OperationPage is a part of a list, the newest first.
type OperationPage struct {
	Items      []Operation `json:"items"`
	NextCursor string      `json:"next_cursor"` // "" on the last page
}

const operations = "/v1/operations"

// ListOperations gives one page of operations.
func (c *Client) ListOperations(ctx context.Context, in ListOperations) (OperationPage, error) {
	q := url.Values{}
	for name, value := range map[string]string{"organization": in.Organization, "kind": in.Kind, "state": in.State, "cursor": in.Cursor} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if in.Limit != 0 {
		q.Set("limit", strconv.Itoa(in.Limit))
	}
	var out OperationPage
	_, err := c.do(ctx, call{method: http.MethodGet, path: operations, query: q}, &out)
	return out, err
}

// Operation gives one.
func (c *Client) Operation(ctx context.Context, id string) (Operation, error) {
	var out Operation
	_, err := c.do(ctx, call{method: http.MethodGet, path: operations + "/" + segment(id)}, &out)
	return out, err
}

// RetryOperation goes on with an open one now. For operators.
func (c *Client) RetryOperation(ctx context.Context, id string) (Operation, error) {
	var out Operation
	_, err := c.do(ctx, call{method: http.MethodPost, path: operations + "/" + segment(id) + "/retry"}, &out)
	return out, err
}

// CancelOperation gives an open one up and undoes what it did. For operators.
func (c *Client) CancelOperation(ctx context.Context, id string) (Operation, error) {
	var out Operation
	_, err := c.do(ctx, call{method: http.MethodPost, path: operations + "/" + segment(id) + "/cancel"}, &out)
	return out, err
}
