package mongodb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"tenantry/app"
)

// While it is recorded what is touched, each write leaves the recording's own
// number (notes) in its document, in one with itself; a deletion leaves the
// document that it has marked. The number is never used again, so that notes of
// a recording that has ended mean nothing, whenever they are removed.

const notesIndex = "notes"

// noted is which documents the index of notes is about.
var noted = bson.D{{Key: "notes", Value: bson.D{{Key: "$exists", Value: true}}}}

// indexTimeout bounds the making of an index on what is there.
const indexTimeout = time.Hour

// Receive makes a closed namespace. See app.Moving.
func (c *Cluster) Receive(ctx context.Context, ns app.Namespace) error {
	if err := c.ready(ctx, ns); err != nil {
		return err
	}
	if err := c.proven(); err != nil {
		return err
	}
	return c.unlessOvertaken(ctx, func(ctx context.Context) error {
		var left *namespaceDoc
		err := c.alone(ctx, ns.Organization, func(ctx context.Context) error {
			d, err := c.record(ctx, ns, app.PhaseClosed)
			switch {
			case err == nil:
				if d, err = c.furnish(ctx, d); err != nil {
					return err
				}
			case !errors.Is(err, errExists):
				return err
			case d.Generation > ns.Placement.Generation:
				return stale(d, ns)
			case d.Dropping:
				if d, err = c.dropping(ctx, d); err == nil {
					left = &d
				}
				return err
			case d.phase() != app.PhaseClosed:
				return stale(d, ns)
			case d.Generation < ns.Placement.Generation || d.Stamp == 0:
				d, err = c.change(ctx, d, func(d *namespaceDoc) { d.Generation = ns.Placement.Generation })
				if err != nil {
					return err
				}
			default: // whoever made it may not have got further than that
				if d, err = c.furnish(ctx, d); err != nil {
					return err
				}
			}
			c.names.put(d.ID, d)
			return nil
		})
		if left == nil || err != nil {
			return err
		}
		if err := c.finishDrop(ctx, *left); err != nil {
			return err
		}
		return errOvertaken // and now it can be made
	})
}

func stale(d namespaceDoc, ns app.Namespace) error {
	return fmt.Errorf("namespace %s is %s at generation %d, not as of %d: %w", d.ID, d.phase(), d.Generation, ns.Placement.Generation, app.ErrStale)
}

// SetPhase gives a namespace a phase and a generation. See app.Moving.
func (c *Cluster) SetPhase(ctx context.Context, ns app.Namespace, phase app.NamespacePhase) error {
	if err := c.ready(ctx, ns); err != nil {
		return err
	}
	switch phase {
	case app.PhaseOpen, app.PhaseRecording, app.PhaseFrozen, app.PhaseClosed:
	default:
		return app.Invalid("phase", "invalid_phase", `The phase is "open", "recording", "frozen" or "closed".`)
	}
	if err := c.proven(); err != nil {
		return err
	}
	if phase == app.PhaseRecording {
		if err := c.indexNotes(ctx, ns); err != nil {
			return c.translate(err)
		}
	}
	var d namespaceDoc
	err := c.unlessOvertaken(ctx, func(ctx context.Context) error {
		return c.alone(ctx, ns.Organization, func(ctx context.Context) (err error) {
			if d, err = c.resolve(ctx, keyIn(ns)); err != nil {
				return err
			}
			if d.Pending != nil {
				if d, err = c.relocate(ctx, d); err != nil { // one that was broken off
					return err
				}
			}
			if d.Generation > ns.Placement.Generation {
				return stale(d, ns)
			}
			if d.phase() != phase || d.Generation != ns.Placement.Generation || d.Stamp == 0 {
				if d, err = c.change(ctx, d, func(d *namespaceDoc) { d.enter(phase, ns.Placement.Generation) }); err != nil {
					return err
				}
				c.names.put(d.ID, d)
			}
			return nil
		})
	})
	if err == nil && d.Forgotten != 0 {
		err = c.forget(ctx, d)
	}
	return err
}

// enter makes a namespace be in a phase.
func (d *namespaceDoc) enter(phase app.NamespacePhase, generation int64) {
	before := d.phase()
	d.setPhase(phase)
	d.Generation = generation
	switch {
	case phase == app.PhaseOpen || phase == app.PhaseClosed:
		if d.Notes != 0 {
			d.Forgotten, d.Notes = d.Notes, 0
		}
	case phase == app.PhaseRecording && (before == app.PhaseOpen || before == app.PhaseClosed || d.Notes == 0):
		d.Notes = newStamp()
	}
}

// indexNotes makes the index by which documents that were touched are found,
// before it is recorded what is. The shared collection has one from the
// beginning; others have it as long as they need it, since every index costs a
// file.
//
// What was filled and takes writes now needs none, as long as nobody asks what
// was touched there, which is when it is to go back: it is made then (see
// indexedNotes). Until the first write is let through, writes are held, and while
// it is filled, the index would only be in the way.
func (c *Cluster) indexNotes(ctx context.Context, ns app.Namespace) error {
	d, err := c.resolve(ctx, keyIn(ns))
	if err != nil || d.Pending != nil || d.phase() != app.PhaseOpen {
		return err
	}
	return c.makeNotesIndex(ctx, d)
}

// indexedNotes sees to it that there is the index of notes, once for each
// recording.
func (c *Cluster) indexedNotes(ctx context.Context, ns app.Namespace) error {
	if d, known := c.names.get(keyIn(ns)); known {
		if _, there := c.indexed.Load(d.Notes); there {
			return nil
		}
	}
	// What is remembered may be of a collection that is gone, which an index would
	// make again.
	d, err := c.resolve(ctx, keyIn(ns))
	if err != nil {
		return c.answer(ctx, err)
	}
	if d.Notes == 0 || d.Pending != nil {
		return nil
	}
	return c.translate(c.makeNotesIndex(ctx, d))
}

func (c *Cluster) makeNotesIndex(ctx context.Context, d namespaceDoc) error {
	if d.shared() {
		c.isIndexed(d)
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, indexTimeout)
	defer cancel()
	err := makeIndexes(ctx, c.server, c.database(d), []index{
		{d.Collection, notesIndex, bson.D{{Key: "notes", Value: 1}, {Key: "_id", Value: 1}}, false, "", noted}})
	if err == nil {
		c.isIndexed(d)
	}
	return err
}

func (c *Cluster) isIndexed(d namespaceDoc) {
	if d.Notes != 0 {
		c.indexed.Store(d.Notes, true)
	}
}

// forget removes the notes of a recording that has ended, and what they are
// notes of where that was deleted.
func (c *Cluster) forget(ctx context.Context, d namespaceDoc) error {
	c.indexed.Delete(d.Forgotten)
	old := bson.E{Key: "notes", Value: d.Forgotten}
	err := c.inBatches(ctx, d, bson.D{old}, func(ctx context.Context, s shelf, some bson.E) error {
		_, err := s.collection.DeleteMany(ctx, s.every(some, old, bson.E{Key: "deleted", Value: true}))
		if err == nil {
			_, err = s.collection.UpdateMany(ctx, s.every(some, old), unsetNotes, options.UpdateMany().SetBypassDocumentValidation(true))
		}
		return err
	})
	if err == nil && !d.shared() {
		err = c.database(d).Collection(d.Collection).Indexes().DropOne(ctx, notesIndex)
		if hasCode(err, codeNamespaceNotFound, codeIndexNotFound) {
			err = nil
		}
	}
	if err == nil {
		next := d
		next.Forgotten = 0
		if err = c.step(ctx, d, &next); err == nil {
			c.names.put(d.ID, next)
		}
	}
	if errors.Is(err, errOvertaken) || isMoved(err) {
		return nil // it is somebody else's by now
	}
	return c.translate(err)
}

// unsetNotes makes a document be as if it had not been touched. It changes
// nothing else of it, so no stamp is asked for.
var unsetNotes = bson.D{{Key: "$unset", Value: bson.D{{Key: "notes", Value: ""}}}}

// Phase reads the phase and the generation. See app.Moving.
func (c *Cluster) Phase(ctx context.Context, ns app.Namespace) (app.NamespacePhase, int64, error) {
	if err := c.ready(ctx, ns); err != nil {
		return "", 0, err
	}
	if err := c.proven(); err != nil {
		return "", 0, err
	}
	d, err := c.resolve(ctx, keyIn(ns))
	if err != nil {
		return "", 0, c.answer(ctx, err)
	}
	return d.phase(), d.Generation, nil
}

func always(namespaceDoc) error { return nil }

// Scan is ListDocuments in every phase. See app.Moving.
func (c *Cluster) Scan(ctx context.Context, ns app.Namespace, q app.DocumentQuery) (list []app.Document, err error) {
	if err := c.ready(ctx, ns); err != nil {
		return nil, err
	}
	if err := c.proven(); err != nil {
		return nil, err
	}
	err = c.findNow(ctx, ns, always, func(ctx context.Context, s shelf) (bool, error) {
		list, err = s.list(ctx, q)
		return len(list) > 0, err
	})
	return list, err
}
