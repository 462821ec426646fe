package tenancy

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"

	"tenantry/app"
)

// Bounds of a page.
const (
	DefaultLimit = 50
	MaxLimit     = 200
)

// ListInput selects and orders organizations. Empty fields select all.
type ListInput struct {
	Text       string
	ExternalID string
	State      string
	Cluster    string
	Isolation  string
	Sort       string // created_at (the default), -created_at, name, -name
	Cursor     string // a page's NextCursor
	Limit      int    // 0: DefaultLimit
	Count      bool   // count all that match, too
}

// ListPage is a part of a list.
type ListPage struct {
	Items      []app.Organization
	NextCursor string // empty: this was the last
	Total      *int64
}

// List gives operators all organizations and users their own.
func (s *Service) List(ctx context.Context, actor app.Actor, in ListInput) (ListPage, error) {
	if actor.Kind == app.Anonymous {
		_, err := s.Resolve(ctx, actor, "", app.ReadOrganization)
		return ListPage{}, err
	}
	q, err := in.query()
	if err != nil {
		return ListPage{}, err
	}
	if !actor.Operator() {
		q.Member = actor.UserID
		if q.States[0] == app.StateDeleted {
			return ListPage{}, app.Invalid("state", "invalid_state", `A state is "active" or "suspended".`)
		}
	}
	limit := q.Limit
	q.Limit++ // one more tells whether there is a next page
	items, err := s.registry.ListOrganizations(ctx, q)
	if err != nil {
		return ListPage{}, fmt.Errorf("list organizations: %w", err)
	}
	page := ListPage{Items: items}
	if len(items) > limit {
		page.Items = items[:limit]
		page.NextCursor = encodeCursor(q.Sort, items[limit-1])
	}
	if in.Count {
		total, err := s.registry.CountOrganizations(ctx, q)
		if err != nil {
			return ListPage{}, fmt.Errorf("count organizations: %w", err)
		}
		page.Total = &total
	}
	return page, nil
}

func (in ListInput) query() (app.OrganizationQuery, error) {
	var fields app.FieldErrors
	invalid := func(location, message string) {
		fields = append(fields, app.FieldError{Location: location, Code: "invalid_" + location, Message: message})
	}
	q := app.OrganizationQuery{
		Text: FoldName(in.Text), ExternalID: in.ExternalID, Cluster: in.Cluster,
		Isolation: app.Isolation(in.Isolation), Sort: app.OrganizationSort(in.Sort), Limit: in.Limit,
		States: []app.OrganizationState{app.StateActive, app.StateSuspended},
	}
	if in.Limit == 0 {
		q.Limit = DefaultLimit
	}
	if q.Limit < 1 || q.Limit > MaxLimit {
		invalid("limit", fmt.Sprintf("A limit is 1 to %d.", MaxLimit))
	}
	if in.State != "" {
		state := app.OrganizationState(in.State)
		if !state.Visible() && state != app.StateDeleted {
			invalid("state", `A state is "active", "suspended" or "deleted".`)
		}
		q.States = []app.OrganizationState{state}
	}
	switch q.Isolation {
	case "", app.IsolationCollection, app.IsolationShared, app.IsolationDatabase:
	default:
		invalid("isolation", `An isolation is "collection", "shared" or "database".`)
	}
	if q.Sort == "" {
		q.Sort = app.SortCreated
	}
	sorts := []app.OrganizationSort{app.SortCreated, app.SortCreatedDesc, app.SortName, app.SortNameDesc}
	if !slices.Contains(sorts, q.Sort) {
		invalid("sort", `A sort is "created_at", "-created_at", "name" or "-name".`)
	}
	if in.Cursor != "" {
		after, ok := decodeCursor(q.Sort, in.Cursor)
		if !ok {
			invalid("cursor", "This cursor is not one of this list. Begin again without it.")
		}
		q.After = after
	}
	return q, orNil(fields)
}

// listCursor is what a cursor says. It is no secret, so it needs no seal: what
// the next page shows is decided by who asks for it.
type listCursor struct {
	Sort app.OrganizationSort `json:"s"`
	Key  string               `json:"k,omitempty"`
	ID   app.OrganizationID   `json:"i"`
}

func encodeCursor(sort app.OrganizationSort, last app.Organization) string {
	c := listCursor{Sort: sort, ID: last.ID}
	if sort == app.SortName || sort == app.SortNameDesc {
		c.Key = last.NameKey
	}
	raw, _ := json.Marshal(c) // strings always marshal
	return base64.RawURLEncoding.EncodeToString(raw)
}

func decodeCursor(sort app.OrganizationSort, s string) (*app.OrganizationCursor, bool) {
	raw, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return nil, false
	}
	var c listCursor
	if json.Unmarshal(raw, &c) != nil || c.Sort != sort || !app.IsID(string(c.ID)) {
		return nil, false
	}
	return &app.OrganizationCursor{Key: c.Key, ID: c.ID}, true
}
