package mongodb

import (
	"math/rand/v2"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"tenantry/app"
)

// shelf is one organization's documents in a collection. Every filter on
// documents is made here, and each has the organization's id; what is written
// gets its id here.
type shelf struct {
	collection *mongo.Collection
	org        app.OrganizationID
	// prefix is what the ids here begin with, where documents of many
	// organizations are kept together.
	prefix string
	// stamp and notes are what each write must leave in its document.
	stamp, notes int64
}

func (c *Cluster) shelf(d namespaceDoc, collection string) shelf {
	s := shelf{collection: c.database(d).Collection(collection), org: d.org(), stamp: c.stampOf(d), notes: d.Notes}
	if d.shared() {
		s.prefix = string(s.org) + "/"
	}
	return s
}

// live is true of documents that are not deleted.
var live = bson.E{Key: "deleted", Value: nil}

// every is the filter for the organization's documents.
func (s shelf) every(more ...bson.E) bson.D {
	return append(bson.D{{Key: "org_id", Value: string(s.org)}}, more...)
}

// one is the filter for the organization's document of this id.
func (s shelf) one(id app.DocumentID, more ...bson.E) bson.D {
	return append(bson.D{{Key: "_id", Value: s.prefix + string(id)}, {Key: "org_id", Value: string(s.org)}}, more...)
}

// these is the filter for the organization's documents of these ids.
func (s shelf) these(ids []app.DocumentID, more ...bson.E) bson.D {
	keys := make([]string, len(ids))
	for i, id := range ids {
		keys[i] = s.prefix + string(id)
	}
	return append(bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: keys}}}, {Key: "org_id", Value: string(s.org)}}, more...)
}

// after is the filter for documents whose ids sort after this one.
func (s shelf) after(id app.DocumentID, more ...bson.E) bson.D {
	between := bson.D{}
	if s.prefix != "" || id != "" {
		between = append(between, bson.E{Key: "$gt", Value: s.prefix + string(id)})
	}
	if s.prefix != "" {
		between = append(between, bson.E{Key: "$lt", Value: string(s.org) + "0"}) // "0" follows "/"
	}
	if len(between) > 0 {
		more = append([]bson.E{{Key: "_id", Value: between}}, more...)
	}
	return s.every(more...)
}

// store is a document as it is to be written.
func (s shelf) store(d app.Document) documentDoc {
	return documentDoc{
		ID: s.prefix + string(d.ID), OrgID: string(s.org), Stamp: s.stamp, Notes: s.notes, Type: d.Type, Revision: d.Revision,
		CreatedAt: d.CreatedAt, UpdatedAt: d.UpdatedAt, Data: string(d.Data), Tag: newTag(),
	}
}

func newTag() int64 { return rand.Int64() } //nolint:gosec // no secret

// marks are what a write that changes a part of a document leaves in it.
func (s shelf) marks(tag int64) bson.D {
	set := bson.D{{Key: "stamp", Value: s.stamp}, {Key: "tag", Value: tag}}
	if s.notes != 0 {
		set = append(set, bson.E{Key: "notes", Value: s.notes})
	}
	return set
}

// document is a document that was read.
func (s shelf) document(d documentDoc) app.Document {
	return app.Document{ID: app.DocumentID(strings.TrimPrefix(d.ID, s.prefix)), Type: d.Type, Revision: d.Revision,
		CreatedAt: d.CreatedAt.UTC(), UpdatedAt: d.UpdatedAt.UTC(), Data: []byte(d.Data)}
}
