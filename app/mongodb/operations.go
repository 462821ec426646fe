package mongodb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"tenantry/app"
)

type operationDoc struct {
	Header         `bson:",inline"`
	Kind           string `bson:"kind"`
	OrganizationID string `bson:"organization_id"`
	State          string `bson:"state"`
	// Open is what the index is on that allows an organization one.
	Open         bool   `bson:"open"`
	Step         string `bson:"step"`
	Change       string `bson:"change"`               // JSON; gone when the operation has ended
	Relocation   string `bson:"relocation,omitempty"` // JSON
	Drain        string `bson:"drain,omitempty"`      // JSON
	PlacementDoc `bson:",inline"`
	Before       string     `bson:"before"`
	DueAt        *time.Time `bson:"due_at"`
	Error        string     `bson:"error"`
	Attempts     int        `bson:"attempts"`
	Holder       string     `bson:"holder"`
	HeldUntil    *time.Time `bson:"held_until"`
	CreatedAt    time.Time  `bson:"created_at"`
	UpdatedAt    time.Time  `bson:"updated_at"`
}

func operationDocOf(op app.Operation) (*operationDoc, error) {
	d := &operationDoc{
		Header: Header{ID: string(op.ID)}, Kind: string(op.Kind), OrganizationID: string(op.OrganizationID),
		State: string(op.State), Open: op.State.Open(), Step: op.Step, PlacementDoc: placementOf(op.Placement),
		Before: string(op.Before), DueAt: moment(op.DueAt), Error: op.Error, Attempts: op.Attempts,
		Holder: op.Lease.Holder, HeldUntil: moment(op.Lease.Until), CreatedAt: op.CreatedAt, UpdatedAt: op.UpdatedAt,
	}
	var err error
	if d.Change, err = jsonOf(op.Change); err != nil {
		return nil, err
	}
	if d.Relocation, err = jsonOf(op.Relocation); err != nil {
		return nil, err
	}
	d.Drain, err = jsonOf(op.Drain)
	return d, err
}

// jsonOf is the text of a field with JSON: empty for nil.
func jsonOf[T any](v *T) (string, error) {
	if v == nil {
		return "", nil
	}
	raw, err := json.Marshal(v)
	return string(raw), err
}

func (d operationDoc) operation() (app.Operation, error) {
	op := app.Operation{
		ID: app.OperationID(d.ID), Kind: app.OperationKind(d.Kind), OrganizationID: app.OrganizationID(d.OrganizationID),
		State: app.OperationState(d.State), Step: d.Step, Placement: d.placement(), Before: app.OrganizationState(d.Before),
		DueAt: instant(d.DueAt), Error: d.Error, Attempts: d.Attempts,
		Lease:     app.Lease{Holder: d.Holder, Until: instant(d.HeldUntil)},
		CreatedAt: d.CreatedAt.UTC(), UpdatedAt: d.UpdatedAt.UTC(),
	}
	if d.Relocation != "" {
		op.Relocation = new(app.Relocation)
		if err := json.Unmarshal([]byte(d.Relocation), op.Relocation); err != nil {
			return op, err
		}
	}
	if d.Drain != "" {
		op.Drain = new(app.Drain)
		if err := json.Unmarshal([]byte(d.Drain), op.Drain); err != nil {
			return op, err
		}
	}
	if d.Change == "" {
		return op, nil
	}
	op.Change = new(app.OrganizationChange)
	return op, json.Unmarshal([]byte(d.Change), op.Change)
}

// openOperation gives the one of an organization, or app.ErrNotFound.
func (u *unit) openOperation(ctx context.Context, org string) (operationDoc, error) {
	return one[operationDoc](ctx, u.r, operations, bson.D{{Key: "organization_id", Value: org}, {Key: "open", Value: true}})
}

// record records an operation. A second open one is a TakenError.
func (u *unit) record(ctx context.Context, d *operationDoc) error {
	if !u.blind {
		_, err := u.openOperation(ctx, d.OrganizationID)
		if err == nil {
			return app.Taken(app.ConflictOpenChange)
		}
		if !errors.Is(err, app.ErrNotFound) {
			return err
		}
	}
	u.put(operations, d)
	return nil
}

// operation reads one that is to be changed, or app.ErrNotFound.
func (u *unit) operation(ctx context.Context, id app.OperationID) (*operationDoc, error) {
	d := new(operationDoc)
	there, err := u.get(ctx, operations, string(id), d)
	if err == nil && !there {
		err = app.ErrNotFound
	}
	return d, err
}

// end closes an operation; its change, which may have a password's hash, goes.
func (u *unit) end(d *operationDoc, state app.OperationState, reason string, t time.Time) {
	d.State, d.Open, d.Error, d.Change, d.UpdatedAt = string(state), false, reason, "", t
	d.Holder, d.HeldUntil = "", nil
	u.put(operations, d)
}

// undone reports whether there is still something to undo. What was undone
// before is no error; what was completed is.
func (d *operationDoc) undone() (bool, error) {
	switch state := app.OperationState(d.State); {
	case state.Open():
		return true, nil
	case state == app.OperationCompleted:
		return false, errEnded(d)
	}
	return false, nil
}

// errEnded says that an operation had ended before, and how.
func errEnded(d *operationDoc) error {
	return fmt.Errorf("operation %s is %s: %w", d.ID, d.State, app.ErrConflict)
}

// Operation is as app.Journal says.
func (r *Registry) Operation(ctx context.Context, id app.OperationID) (app.Operation, error) {
	d, err := one[operationDoc](ctx, r, operations, byID(id))
	if err != nil {
		return app.Operation{}, err
	}
	return d.operation()
}

// OpenOperations is as app.Journal says.
func (r *Registry) OpenOperations(ctx context.Context, due time.Time) ([]app.Operation, error) {
	return r.operations(ctx, bson.D{{Key: "open", Value: true}, {Key: "$or", Value: bson.A{
		bson.D{{Key: "due_at", Value: nil}}, bson.D{{Key: "due_at", Value: bson.D{{Key: "$lte", Value: due}}}},
	}}}, options.Find().SetSort(bson.D{{Key: "created_at", Value: 1}, {Key: "_id", Value: 1}}))
}

// ListOperations is as app.Journal says.
func (r *Registry) ListOperations(ctx context.Context, q app.OperationQuery) ([]app.Operation, error) {
	filter := bson.D{present}
	if q.Organization != "" {
		filter = append(filter, bson.E{Key: "organization_id", Value: string(q.Organization)})
	}
	if q.Kind != "" {
		filter = append(filter, bson.E{Key: "kind", Value: string(q.Kind)})
	}
	if len(q.States) > 0 {
		states := make([]string, len(q.States))
		for i, s := range q.States {
			states[i] = string(s)
		}
		filter = append(filter, bson.E{Key: "state", Value: bson.D{{Key: "$in", Value: states}}})
	}
	if q.Before != "" {
		filter = append(filter, bson.E{Key: "_id", Value: bson.D{{Key: "$lt", Value: string(q.Before)}}})
	}
	return r.operations(ctx, filter, options.Find().SetSort(bson.D{{Key: "_id", Value: -1}}).SetLimit(int64(q.Limit)))
}

func (r *Registry) operations(ctx context.Context, filter bson.D, o *options.FindOptionsBuilder) ([]app.Operation, error) {
	docs, err := find[operationDoc](ctx, r, operations, filter, o)
	if err != nil {
		return nil, r.translate(err)
	}
	list := make([]app.Operation, len(docs))
	for i, d := range docs {
		if list[i], err = d.operation(); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// AbortOperation is as app.Journal says. One that is being undone already
// keeps its first reason.
func (r *Registry) AbortOperation(ctx context.Context, id app.OperationID, to app.OperationState, reason string, t time.Time) error {
	if !to.Undoing() {
		return fmt.Errorf("abort to %q: %w", to, app.ErrInvalid)
	}
	return r.change(ctx, func(ctx context.Context, u *unit) error {
		d, err := u.operation(ctx, id)
		if err != nil {
			return err
		}
		switch state := app.OperationState(d.State); {
		case state.Undoing():
			return nil
		case state != app.OperationRunning:
			return errEnded(d)
		}
		op, err := d.operation()
		if err != nil {
			return err
		}
		if op.Relocation != nil && op.Relocation.Flips > 0 {
			return fmt.Errorf("operation %s has switched: %w", d.ID, app.ErrConflict)
		}
		d.State, d.Error, d.UpdatedAt = string(to), reason, t
		u.put(operations, d)
		return nil
	})
}

// NoteOperation is as app.Journal says.
func (r *Registry) NoteOperation(ctx context.Context, id app.OperationID, step, reason string, t time.Time) error {
	return r.change(ctx, func(ctx context.Context, u *unit) error {
		d := new(operationDoc)
		there, err := u.get(ctx, operations, string(id), d)
		if err != nil || !there || !d.Open {
			return err
		}
		if d.State == string(app.OperationRunning) {
			d.Error = reason
		}
		d.Step, d.UpdatedAt = step, t
		d.Attempts++
		u.put(operations, d)
		return nil
	})
}

// ClaimOperation is as app.Journal says.
func (r *Registry) ClaimOperation(ctx context.Context, id app.OperationID, from, to app.Lease) error {
	return r.change(ctx, func(ctx context.Context, u *unit) error {
		d, err := u.operation(ctx, id)
		if err != nil {
			return err
		}
		if !d.Open || d.Holder != from.Holder || !instant(d.HeldUntil).Equal(from.Until) {
			return app.ErrStale
		}
		d.Holder, d.HeldUntil = to.Holder, moment(to.Until)
		u.put(operations, d)
		return nil
	})
}

// PruneOperations is as app.Journal says.
func (r *Registry) PruneOperations(ctx context.Context, before time.Time) (int, error) {
	return r.prune(ctx, operations, bson.D{{Key: "open", Value: false}, {Key: "updated_at", Value: bson.D{{Key: "$lt", Value: before}}}})
}

// prune removes what is old and nobody writes any more.
func (r *Registry) prune(ctx context.Context, collection string, which bson.D) (int, error) {
	// A redo record that is written once more could bring it back, where nothing
	// refuses that yet.
	if err := r.sweep(ctx); err != nil {
		return 0, r.translate(err)
	}
	result, err := r.db.Collection(collection).DeleteMany(ctx, append(which, present))
	if err != nil {
		return 0, r.translate(err)
	}
	return int(result.DeletedCount), nil
}
