package mongodb

import (
	"context"
	"regexp"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"tenantry/app"
)

// PlacementDoc is a placement, in the document that has it.
type PlacementDoc struct {
	Cluster    string `bson:"cluster"`
	Isolation  string `bson:"isolation"`
	Database   string `bson:"database"`
	Collection string `bson:"collection"`
	Generation int64  `bson:"generation"`
}

func placementOf(p app.Placement) PlacementDoc {
	return PlacementDoc{p.Cluster, string(p.Isolation), p.Database, p.Collection, p.Generation}
}

func (p PlacementDoc) placement() app.Placement {
	return app.Placement{Cluster: p.Cluster, Isolation: app.Isolation(p.Isolation), Database: p.Database,
		Collection: p.Collection, Generation: p.Generation}
}

type organizationDoc struct {
	Header     `bson:",inline"`
	Name       string `bson:"name"`
	NameKey    string `bson:"name_key"`
	Slug       string `bson:"slug"`
	ExternalID string `bson:"external_id"`
	// ExternalKey is what is searched.
	ExternalKey  string `bson:"external_key"`
	Metadata     []pair `bson:"metadata"`
	State        string `bson:"state"`
	PlacementDoc `bson:",inline"`
	OwnerID      string `bson:"owner_id"`
	// Epoch goes up with each deletion. A session of another epoch is none.
	Epoch     int64     `bson:"epoch"`
	Revision  int64     `bson:"revision"`
	CreatedAt time.Time `bson:"created_at"`
	UpdatedAt time.Time `bson:"updated_at"`
}

// pair is an entry of a map whose keys are not ours: as the names of fields
// they could hold dots and dollars.
type pair struct {
	Key   string `bson:"k"`
	Value string `bson:"v"`
}

// organizationHead is what a document of an organization has beside it.
type organizationHead struct {
	Header
	epoch int64
}

func organizationDocOf(o app.Organization, h organizationHead) *organizationDoc {
	h.ID = string(o.ID)
	d := &organizationDoc{
		Header: h.Header, Epoch: h.epoch, Name: o.Name, NameKey: o.NameKey, Slug: o.Slug,
		ExternalID: o.ExternalID, ExternalKey: lowerASCII(o.ExternalID), State: string(o.State),
		PlacementDoc: placementOf(o.Placement), OwnerID: string(o.OwnerID), Revision: o.Revision,
		CreatedAt: o.CreatedAt, UpdatedAt: o.UpdatedAt,
	}
	if o.Metadata != nil {
		d.Metadata = make([]pair, 0, len(o.Metadata))
	}
	for k, v := range o.Metadata {
		d.Metadata = append(d.Metadata, pair{k, v})
	}
	return d
}

func (d organizationDoc) organization() app.Organization {
	o := app.Organization{
		ID: app.OrganizationID(d.ID), Name: d.Name, NameKey: d.NameKey, Slug: d.Slug, ExternalID: d.ExternalID,
		State: app.OrganizationState(d.State), Placement: d.placement(), OwnerID: app.UserID(d.OwnerID),
		Revision: d.Revision, CreatedAt: d.CreatedAt.UTC(), UpdatedAt: d.UpdatedAt.UTC(),
	}
	if d.Metadata != nil {
		o.Metadata = make(map[string]string, len(d.Metadata))
	}
	for _, p := range d.Metadata {
		o.Metadata[p.Key] = p.Value
	}
	return o
}

// organization reads one that is to be changed, or app.ErrNotFound.
func (u *unit) organization(ctx context.Context, id app.OrganizationID) (app.Organization, organizationHead, error) {
	var d organizationDoc
	there, err := u.get(ctx, organizations, string(id), &d)
	if err == nil && !there {
		err = app.ErrNotFound
	}
	return d.organization(), organizationHead{d.Header, d.Epoch}, err
}

// Organization is as app.Organizations says.
func (r *Registry) Organization(ctx context.Context, id app.OrganizationID) (app.Organization, error) {
	d, err := one[organizationDoc](ctx, r, organizations, byID(id))
	return d.organization(), err
}

// OrganizationBySlug is as app.Organizations says.
func (r *Registry) OrganizationBySlug(ctx context.Context, slug string) (app.Organization, error) {
	d, err := one[organizationDoc](ctx, r, organizations, bson.D{{Key: "slug", Value: slug}})
	return d.organization(), err
}

// ListOrganizations is as app.Organizations says.
func (r *Registry) ListOrganizations(ctx context.Context, q app.OrganizationQuery) ([]app.Organization, error) {
	filter, err := r.organizationFilter(ctx, q)
	if err != nil {
		return nil, r.translate(err)
	}
	direction, beyond := 1, "$gt"
	if q.Sort == app.SortNameDesc || q.Sort == app.SortCreatedDesc {
		direction, beyond = -1, "$lt"
	}
	byName := q.Sort == app.SortName || q.Sort == app.SortNameDesc
	order := bson.D{{Key: "_id", Value: direction}}
	if byName {
		order = bson.D{{Key: "name_key", Value: direction}, {Key: "_id", Value: direction}}
	}
	if q.After != nil {
		after := bson.D{{Key: "_id", Value: bson.D{{Key: beyond, Value: string(q.After.ID)}}}}
		if byName {
			after = bson.D{{Key: "$or", Value: bson.A{
				bson.D{{Key: "name_key", Value: bson.D{{Key: beyond, Value: q.After.Key}}}},
				append(bson.D{{Key: "name_key", Value: q.After.Key}}, after...),
			}}}
		}
		filter = bson.D{{Key: "$and", Value: bson.A{filter, after}}}
	}
	list, err := find[organizationDoc](ctx, r, organizations, filter, options.Find().SetSort(order).SetLimit(int64(q.Limit)))
	if err != nil {
		return nil, r.translate(err)
	}
	out := make([]app.Organization, len(list))
	for i, d := range list {
		out[i] = d.organization()
	}
	return out, nil
}

// CountOrganizations is as app.Organizations says.
func (r *Registry) CountOrganizations(ctx context.Context, q app.OrganizationQuery) (int64, error) {
	filter, err := r.organizationFilter(ctx, q)
	if err != nil {
		return 0, r.translate(err)
	}
	n, err := r.db.Collection(organizations).CountDocuments(ctx, filter)
	return n, r.translate(err)
}

func (r *Registry) organizationFilter(ctx context.Context, q app.OrganizationQuery) (bson.D, error) {
	filter := bson.D{present}
	add := func(field string, value any) { filter = append(filter, bson.E{Key: field, Value: value}) }
	if q.Text != "" {
		text := bson.D{{Key: "$regex", Value: strings.ReplaceAll(regexp.QuoteMeta(q.Text), "\x00", `\x00`)}}
		add("$or", bson.A{
			bson.D{{Key: "name_key", Value: text}}, bson.D{{Key: "slug", Value: text}}, bson.D{{Key: "external_key", Value: text}},
		})
	}
	if q.ExternalID != "" {
		add("external_id", q.ExternalID)
	}
	if len(q.States) > 0 {
		values := make([]string, len(q.States))
		for i, s := range q.States {
			values[i] = string(s)
		}
		add("state", bson.D{{Key: "$in", Value: values}})
	}
	if q.Cluster != "" {
		add("cluster", q.Cluster)
	}
	if q.Isolation != "" {
		add("isolation", string(q.Isolation))
	}
	if q.Member != "" {
		list, err := find[membershipDoc](ctx, r, memberships, bson.D{{Key: "user_id", Value: string(q.Member)}, present})
		if err != nil {
			return nil, err
		}
		ids := make([]string, len(list))
		for i, m := range list {
			ids[i] = m.OrganizationID
		}
		add("_id", bson.D{{Key: "$in", Value: ids}})
	}
	return filter, nil
}
