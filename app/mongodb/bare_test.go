package mongodb

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"tenantry/app"
)

// bare is a cluster whose server a test reads by a client of its own.
type bare struct {
	owned
	client *mongo.Client
}

// BareDocuments reads BSON as it is stored. See storagetest.Bare.
func (b bare) BareDocuments(ns app.Namespace) (map[app.OrganizationID]map[app.DocumentID]string, error) {
	ctx := context.Background()
	cursor, err := b.client.Database(ns.Placement.Database).Collection(ns.Placement.Collection).Find(ctx, bson.D{})
	if err != nil {
		return nil, err
	}
	defer func() { _ = cursor.Close(ctx) }()
	all := map[app.OrganizationID]map[app.DocumentID]string{}
	for cursor.Next(ctx) {
		org, id, data, err := bareDocument(cursor.Current, ns.Placement.Isolation)
		if err != nil {
			return nil, fmt.Errorf("%w: %v", err, cursor.Current)
		}
		if data == "" {
			continue
		}
		if all[org] == nil {
			all[org] = map[app.DocumentID]string{}
		}
		all[org][id] = data
	}
	return all, cursor.Err()
}

// bareDocument is what a stored document says. Its data is empty where it is
// what is left of a deleted one, or a mark of whose the collection is.
func bareDocument(d bson.Raw, isolation app.Isolation) (org app.OrganizationID, id app.DocumentID, data string, err error) {
	elements, err := d.Elements()
	if err != nil {
		return "", "", "", err
	}
	texts := map[string]string{}
	for _, e := range elements {
		if _, twice := texts[e.Key()]; twice {
			return "", "", "", fmt.Errorf("it has %s twice", e.Key())
		}
		texts[e.Key()], _ = e.Value().StringValueOK()
	}
	if texts["_id"] == ownerID && isolation != app.IsolationShared {
		return "", "", "", nil
	}
	keys := []string{"_id", "org_id", "stamp", "type", "revision", "created_at", "updated_at", "data", "tag", "notes", "deleted"}
	for key := range texts {
		if !slices.Contains(keys, key) {
			return "", "", "", fmt.Errorf("it has %s", key)
		}
	}
	name, prefix := texts["_id"], ""
	if isolation == app.IsolationShared {
		prefix = texts["org_id"] + "/"
	}
	if !app.IsID(texts["org_id"]) || !strings.HasPrefix(name, prefix) {
		return "", "", "", fmt.Errorf("it is of %q, and its id %q", texts["org_id"], name)
	}
	if _, deleted := texts["deleted"]; !deleted {
		data = texts["data"]
	}
	return app.OrganizationID(texts["org_id"]), app.DocumentID(strings.TrimPrefix(name, prefix)), data, nil
}
