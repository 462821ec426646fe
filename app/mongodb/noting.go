package mongodb

import (
	"context"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"tenantry/app"
)

// Look tells of documents, and whether they are noted. See app.Moving.
func (c *Cluster) Look(ctx context.Context, ns app.Namespace, ids []app.DocumentID, maxBytes int) (list []app.Sight, err error) {
	if err := c.ready(ctx, ns); err != nil {
		return nil, err
	}
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	err = c.findNow(ctx, ns, always, func(ctx context.Context, s shelf) (found bool, err error) {
		list, found, err = s.look(ctx, ids, maxBytes)
		return found, err
	})
	return list, err
}

// look tells of the documents of ids, which are in order, and whether there is
// any of them. What is noted of a document is in it, also when it was deleted.
func (s shelf) look(ctx context.Context, ids []app.DocumentID, most int) (list []app.Sight, found bool, err error) {
	if len(ids) == 0 {
		return nil, true, nil
	}
	size, last := 0, app.DocumentID("")
	there := make(map[app.DocumentID]app.Sight, len(ids))
	err = s.read(ctx, s.these(ids), len(ids), most, func(stored documentDoc) {
		d := s.document(stored)
		seen := app.Sight{ID: d.ID, Noted: s.notes != 0 && stored.Notes == s.notes}
		if !stored.Deleted {
			seen.Document = &d
		}
		there[d.ID], last = seen, d.ID
		size += len(d.Data)
	})
	if err != nil {
		return nil, false, err
	}
	for _, id := range ids {
		if most > 0 && size > most && id > last {
			break
		}
		seen := there[id]
		seen.ID = id
		list = append(list, seen)
	}
	return list, len(there) > 0, nil
}

// Changes lists what was touched and not settled. See app.Moving.
func (c *Cluster) Changes(ctx context.Context, ns app.Namespace, limit, maxBytes int) (list []app.Change, err error) {
	if err := c.ready(ctx, ns); err != nil {
		return nil, err
	}
	if err := c.indexedNotes(ctx, ns); err != nil {
		return nil, err
	}
	err = c.findNow(ctx, ns, always, func(ctx context.Context, s shelf) (bool, error) {
		if list = nil; s.notes == 0 {
			return true, nil
		}
		err := s.read(ctx, s.every(bson.E{Key: "notes", Value: s.notes}), limit, maxBytes, func(stored documentDoc) {
			d := s.document(stored)
			change := app.Change{ID: d.ID, Mark: stored.Tag}
			if !stored.Deleted {
				change.Document = &d
			}
			list = append(list, change)
		})
		return len(list) > 0, err
	})
	return list, err
}

// CountChanges counts what Changes would list. See app.Moving.
func (c *Cluster) CountChanges(ctx context.Context, ns app.Namespace, limit int) (n int, err error) {
	if err := c.ready(ctx, ns); err != nil {
		return 0, err
	}
	if err := c.indexedNotes(ctx, ns); err != nil {
		return 0, err
	}
	err = c.findNow(ctx, ns, always, func(ctx context.Context, s shelf) (bool, error) {
		if n = 0; s.notes == 0 {
			return true, nil
		}
		count, err := s.collection.CountDocuments(ctx, s.every(bson.E{Key: "notes", Value: s.notes}), options.Count().SetLimit(int64(limit)))
		n = int(count)
		return n > 0, err
	})
	return n, err
}

// Settle forgets that documents were touched. A tag is of one write alone, so
// that this is about no other, whenever it arrives. See app.Moving.
func (c *Cluster) Settle(ctx context.Context, ns app.Namespace, changes []app.Change) error {
	if err := c.ready(ctx, ns); err != nil {
		return err
	}
	ctx, cancel := c.writing(ctx)
	defer cancel()
	may := func(d namespaceDoc) error {
		if d.Generation > ns.Placement.Generation {
			return stale(d, ns)
		}
		return nil
	}
	return c.findNow(ctx, ns, may, func(ctx context.Context, s shelf) (bool, error) {
		if len(changes) == 0 {
			return true, nil
		}
		// A tag is of one write alone, so that two commands do for all: one for
		// each document costs as much as writing it.
		var there, gone []app.DocumentID
		tags := make([]int64, len(changes))
		for i, change := range changes {
			tags[i] = change.Mark
			if change.Document == nil {
				gone = append(gone, change.ID)
			} else {
				there = append(there, change.ID)
			}
		}
		tagged := bson.E{Key: "tag", Value: bson.D{{Key: "$in", Value: tags}}}
		var err error
		if len(there) > 0 {
			_, err = s.collection.UpdateMany(ctx, s.these(there, tagged), unsetNotes, options.UpdateMany().SetBypassDocumentValidation(true))
		}
		if err == nil && len(gone) > 0 {
			_, err = s.collection.DeleteMany(ctx, s.these(gone, tagged, bson.E{Key: "deleted", Value: true}))
		}
		return err == nil, err
	})
}
