package sqlite

import (
	"context"
	"encoding/json"
	"strings"

	"tenantry/app"
)

const organizationColumns = `id, name, name_key, slug, external_id, metadata, state,
	cluster, isolation, "database", collection, generation, owner_id, revision, created_at, updated_at`

func scanOrganization(row scanner) (app.Organization, error) {
	var o app.Organization
	var metadata *string
	err := row.Scan(&o.ID, &o.Name, &o.NameKey, &o.Slug, &o.ExternalID, &metadata, &o.State,
		&o.Placement.Cluster, &o.Placement.Isolation, &o.Placement.Database, &o.Placement.Collection,
		&o.Placement.Generation, &o.OwnerID, &o.Revision, at{&o.CreatedAt}, at{&o.UpdatedAt})
	if err == nil && metadata != nil {
		err = json.Unmarshal([]byte(*metadata), &o.Metadata)
	}
	return o, err
}

func metadataText(m map[string]string) (any, error) {
	if m == nil {
		return nil, nil
	}
	raw, err := json.Marshal(m)
	return string(raw), err
}

// Organization is as app.Organizations says.
func (r *Registry) Organization(ctx context.Context, id app.OrganizationID) (o app.Organization, err error) {
	err = r.d.read(ctx, func(c *conn) error {
		o, err = readOrganization(c, id)
		return err
	})
	return o, err
}

func readOrganization(c *conn, id app.OrganizationID) (app.Organization, error) {
	return scanOrganization(c.queryRow("SELECT "+organizationColumns+" FROM organizations WHERE id = ?", id))
}

// OrganizationBySlug is as app.Organizations says.
func (r *Registry) OrganizationBySlug(ctx context.Context, slug string) (o app.Organization, err error) {
	err = r.d.read(ctx, func(c *conn) error {
		o, err = scanOrganization(c.queryRow("SELECT "+organizationColumns+" FROM organizations WHERE slug = ?", slug))
		return err
	})
	return o, err
}

// ListOrganizations is as app.Organizations says.
func (r *Registry) ListOrganizations(ctx context.Context, q app.OrganizationQuery) ([]app.Organization, error) {
	where, args := organizationFilter(q)
	key, direction, beyond := "", "ASC", ">"
	if q.Sort == app.SortName || q.Sort == app.SortNameDesc {
		key = "name_key"
	}
	if q.Sort == app.SortNameDesc || q.Sort == app.SortCreatedDesc {
		direction, beyond = "DESC", "<"
	}
	order := "id " + direction
	if key != "" {
		order = key + " " + direction + ", " + order
	}
	if q.After != nil {
		if key != "" {
			where = append(where, "("+key+", id) "+beyond+" (?, ?)")
			args = append(args, q.After.Key, q.After.ID)
		} else {
			where = append(where, "id "+beyond+" ?")
			args = append(args, q.After.ID)
		}
	}
	query := "SELECT " + organizationColumns + " FROM organizations o" + conditions(where) + " ORDER BY " + order + " LIMIT ?"
	var list []app.Organization
	err := r.d.read(ctx, func(c *conn) error {
		return c.query(func(row scanner) error {
			o, err := scanOrganization(row)
			list = append(list, o)
			return err
		}, query, append(args, q.Limit)...)
	})
	return list, err
}

// CountOrganizations is as app.Organizations says.
func (r *Registry) CountOrganizations(ctx context.Context, q app.OrganizationQuery) (n int64, err error) {
	where, args := organizationFilter(q)
	err = r.d.read(ctx, func(c *conn) error {
		return c.queryRow("SELECT count(*) FROM organizations o"+conditions(where), args...).Scan(&n)
	})
	return n, err
}

func organizationFilter(q app.OrganizationQuery) (where []string, args []any) {
	add := func(condition string, values ...any) {
		where = append(where, condition)
		args = append(args, values...)
	}
	if q.Text != "" {
		add("(instr(name_key, ?) > 0 OR instr(slug, ?) > 0 OR instr(lower(external_id), ?) > 0)", q.Text, q.Text, q.Text)
	}
	if q.ExternalID != "" {
		// By its claim, which is indexed; its owner may only have reserved it.
		add("id = (SELECT owner FROM claims WHERE kind = 'external_id' AND value = ?) AND external_id = ?", q.ExternalID, q.ExternalID)
	}
	if len(q.States) > 0 {
		values := make([]any, len(q.States))
		for i, s := range q.States {
			values[i] = s
		}
		add(oneOf("state", len(values)), values...)
	}
	if q.Cluster != "" {
		add("cluster = ?", q.Cluster)
	}
	if q.Isolation != "" {
		add("isolation = ?", q.Isolation)
	}
	if q.Member != "" {
		add("id IN (SELECT organization_id FROM memberships WHERE user_id = ?)", q.Member)
	}
	return where, args
}

// oneOf is true where the column has one of n bound values.
func oneOf(column string, n int) string {
	return column + " IN (?" + strings.Repeat(", ?", n-1) + ")"
}

func conditions(where []string) string {
	if len(where) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(where, " AND ")
}
