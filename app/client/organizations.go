package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Organization is an organization as the API shows it.
type Organization struct {
	ID         string            `json:"id"`
	Name       string            `json:"name"`
	Slug       string            `json:"slug"`
	ExternalID string            `json:"external_id,omitempty"`
	Metadata   map[string]string `json:"metadata"`
	State      string            `json:"state"`
	Revision   int64             `json:"revision"`
	CreatedAt  time.Time         `json:"created_at"`
	UpdatedAt  time.Time         `json:"updated_at"`
}

// Deletion says how far the deletion of an organization is.
type Deletion struct {
	// Pending: its members are refused, its data is removed later, by this
	// operation.
	Pending   bool
	Operation Operation
}

// NewOrganization is what an organization is made of. Empty fields are left to
// the server.
type NewOrganization struct {
	Name       string            `json:"name"`
	Slug       string            `json:"slug,omitempty"`
	ExternalID string            `json:"external_id,omitempty"`
	Metadata   map[string]string `json:"metadata,omitempty"`
	Owner      *NewOwner         `json:"owner,omitempty"`
	Placement  *NewPlacement     `json:"placement,omitempty"`
}

// NewOwner is the user who will own a new organization.
type NewOwner struct {
	Email    string `json:"email"`
	Password string `json:"password"`
	Name     string `json:"name,omitempty"`
}

// NewPlacement says where a new organization's data will live.
type NewPlacement struct {
	Cluster   string `json:"cluster,omitempty"`
	Isolation string `json:"isolation,omitempty"`
}

// OrganizationPatch is what changes; empty fields stay as they are.
type OrganizationPatch struct {
	Name       string             `json:"name,omitempty"`
	Slug       string             `json:"slug,omitempty"`
	ExternalID *string            `json:"external_id,omitempty"`
	Metadata   map[string]*string `json:"metadata,omitempty"`
	// IfRevision is the revision that must still be the one; 0 takes any.
	IfRevision int64 `json:"-"`
}

// ListOrganizations says which organizations are listed, and how.
type ListOrganizations struct {
	Text, ExternalID, State, Cluster, Isolation, Sort, Cursor string
	Limit                                                     int
	Count                                                     bool
}

// OrganizationPage is a part of a list.
type OrganizationPage struct {
	Items      []Organization `json:"items"`
	NextCursor string         `json:"next_cursor"` // "" on the last page
	Total      *int64         `json:"total"`
}

// Placement is where an organization's data is, and how much.
type Placement struct {
	Cluster    string `json:"cluster"`
	Isolation  string `json:"isolation"`
	Database   string `json:"database"`
	Collection string `json:"collection"`
	Generation int64  `json:"generation"`
	Documents  int64  `json:"documents"`
	Bytes      int64  `json:"bytes"`
}

const organizations = "/v1/organizations"

// CreateOrganization makes an organization with its owner.
func (c *Client) CreateOrganization(ctx context.Context, in NewOrganization) (Organization, error) {
	var out Organization
	_, err := c.do(ctx, call{method: http.MethodPost, path: organizations, body: in}, &out)
	return out, err
}

// Organization gives the organization with this id or slug.
func (c *Client) Organization(ctx context.Context, ref string) (Organization, error) {
	var out Organization
	_, err := c.do(ctx, call{method: http.MethodGet, path: organizations + "/" + segment(ref)}, &out)
	return out, err
}

// ListOrganizations gives one page of organizations.
func (c *Client) ListOrganizations(ctx context.Context, in ListOrganizations) (OrganizationPage, error) {
	q := url.Values{}
	for name, value := range map[string]string{"q": in.Text, "external_id": in.ExternalID, "state": in.State,
		"cluster": in.Cluster, "isolation": in.Isolation, "sort": in.Sort, "cursor": in.Cursor} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if in.Limit != 0 {
		q.Set("limit", strconv.Itoa(in.Limit))
	}
	if in.Count {
		q.Set("count", "true")
	}
	var out OrganizationPage
	_, err := c.do(ctx, call{method: http.MethodGet, path: organizations, query: q}, &out)
	return out, err
}

// UpdateOrganization changes an organization.
func (c *Client) UpdateOrganization(ctx context.Context, ref string, in OrganizationPatch) (Organization, error) {
	var out Organization
	_, err := c.do(ctx, call{method: http.MethodPatch, path: organizations + "/" + segment(ref), body: in,
		media: "application/merge-patch+json", ifMatch: in.IfRevision}, &out)
	return out, err
}

// DeleteOrganization deletes an organization and its data; an operator who
// deletes one that can still be restored removes its data now.
func (c *Client) DeleteOrganization(ctx context.Context, ref string) (Deletion, error) {
	var out Deletion
	status, err := c.do(ctx, call{method: http.MethodDelete, path: organizations + "/" + segment(ref)}, &out.Operation)
	out.Pending = status == http.StatusAccepted
	return out, err
}

// RestoreOrganization takes a deletion back. For operators.
func (c *Client) RestoreOrganization(ctx context.Context, ref string) (Organization, error) {
	return c.actOn(ctx, ref, "restore")
}

// SuspendOrganization closes an organization to its members. For operators.
func (c *Client) SuspendOrganization(ctx context.Context, ref string) (Organization, error) {
	return c.actOn(ctx, ref, "suspend")
}

// ResumeOrganization opens a suspended organization again. For operators.
func (c *Client) ResumeOrganization(ctx context.Context, ref string) (Organization, error) {
	return c.actOn(ctx, ref, "resume")
}

func (c *Client) actOn(ctx context.Context, ref, act string) (Organization, error) {
	var out Organization
	_, err := c.do(ctx, call{method: http.MethodPost, path: organizations + "/" + segment(ref) + "/" + act}, &out)
	return out, err
}

// Placement says where an organization's data is, and how much.
func (c *Client) Placement(ctx context.Context, ref string) (Placement, error) {
	var out Placement
	_, err := c.do(ctx, call{method: http.MethodGet, path: organizations + "/" + segment(ref) + "/placement"}, &out)
	return out, err
}

// Owner is the first owner of an organization.
type Owner struct {
	ID    string `json:"id"`
	Email string `json:"email"`
	Name  string `json:"name"`
}

// OwnerPatch is what changes of an owner; empty fields stay as they are.
type OwnerPatch struct {
	Email    string `json:"email,omitempty"`
	Password string `json:"password,omitempty"`
}

// Owner says who owns an organization. For its owners, admins and operators.
func (c *Client) Owner(ctx context.Context, ref string) (Owner, error) {
	var out Owner
	_, err := c.do(ctx, call{method: http.MethodGet, path: organizations + "/" + segment(ref) + "/owner"}, &out)
	return out, err
}

// UpdateOwner changes the owner's email address or password. For that owner
// and operators.
func (c *Client) UpdateOwner(ctx context.Context, ref string, in OwnerPatch) (Owner, error) {
	var out Owner
	_, err := c.do(ctx, call{method: http.MethodPatch, path: organizations + "/" + segment(ref) + "/owner", body: in,
		media: "application/merge-patch+json"}, &out)
	return out, err
}
