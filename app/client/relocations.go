package client

import (
	"context"
	"net/http"
	"time"
)

// Relocation is how far the moving of an organization came.
type Relocation struct {
	Source      Place      `json:"source"`
	Target      Place      `json:"target"`
	Total       Amount     `json:"total"`     // at the beginning
	Copied      Amount     `json:"copied"`    //
	CaughtUp    Amount     `json:"caught_up"` // written meanwhile and copied after that
	Verified    Amount     `json:"verified"`
	Cutovers    int        `json:"cutovers"`     // tries to switch
	HeldSeconds float64    `json:"held_seconds"` // that writes were held, in all
	Revertible  bool       `json:"revertible"`   // it can be completed or reverted now
	Differences []string   `json:"differences,omitempty"`
	Room        *Room      `json:"room,omitempty"` // at the target, of a dry run
	PhaseAt     time.Time  `json:"phase_at"`
	SwitchedAt  *time.Time `json:"switched_at,omitempty"`
}

// Place is where an organization's documents are.
type Place struct {
	Cluster    string `json:"cluster"`
	Isolation  string `json:"isolation"`
	Database   string `json:"database"`
	Collection string `json:"collection"`
}

// Room is how much there is for what would be moved.
type Room struct {
	Needed int64  `json:"needed"`         // bytes, about, with a margin
	Free   *int64 `json:"free,omitempty"` // bytes; nil: the store does not say
}

// Amount is how many documents, and of what size.
type Amount struct {
	Documents int64 `json:"documents"`
	Bytes     int64 `json:"bytes"`
}

// Relocate says where an organization is to be moved to; what is empty stays as
// it is.
type Relocate struct {
	Cluster   string `json:"cluster,omitempty"`
	Isolation string `json:"isolation,omitempty"`
	// DryRun only asks what would be moved.
	DryRun bool `json:"dry_run,omitempty"`
}

// RelocateOrganization moves an organization's documents to another place. The
// operation may still be under way. For operators.
func (c *Client) RelocateOrganization(ctx context.Context, ref string, in Relocate) (Operation, error) {
	var out Operation
	_, err := c.do(ctx, call{method: http.MethodPost, path: organizations + "/" + segment(ref) + "/relocate", body: in}, &out)
	return out, err
}

// CompleteOperation ends the grace period of a relocation: the place that was
// left is removed. For operators.
func (c *Client) CompleteOperation(ctx context.Context, id string) (Operation, error) {
	var out Operation
	_, err := c.do(ctx, call{method: http.MethodPost, path: operations + "/" + segment(id) + "/complete"}, &out)
	return out, err
}

// RevertOperation takes a relocation back that has switched. For operators.
func (c *Client) RevertOperation(ctx context.Context, id string) (Operation, error) {
	var out Operation
	_, err := c.do(ctx, call{method: http.MethodPost, path: operations + "/" + segment(id) + "/revert"}, &out)
	return out, err
}
