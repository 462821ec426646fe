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
	Change       string `bson:"change"` // JSON; gone when the operation has ended
	PlacementDoc `bson:",inline"`
	Error        string    `bson:"error"`
	Attempts     int       `bson:"attempts"`
	CreatedAt    time.Time `bson:"created_at"`
	UpdatedAt    time.Time `bson:"updated_at"`
}

func operationDocOf(op app.Operation) (*operationDoc, error) {
	d := &operationDoc{
		Header: Header{ID: string(op.ID)}, Kind: string(op.Kind), OrganizationID: string(op.OrganizationID),
		State: string(op.State), Open: op.State.Open(), Step: op.Step, PlacementDoc: placementOf(op.Placement),
		Error: op.Error, Attempts: op.Attempts, CreatedAt: op.CreatedAt, UpdatedAt: op.UpdatedAt,
	}
	if op.Change != nil {
		raw, err := json.Marshal(op.Change)
		if err != nil {
			return nil, err
		}
		d.Change = string(raw)
	}
	return d, nil
}

func (d operationDoc) operation() (app.Operation, error) {
	op := app.Operation{
		ID: app.OperationID(d.ID), Kind: app.OperationKind(d.Kind), OrganizationID: app.OrganizationID(d.OrganizationID),
		State: app.OperationState(d.State), Step: d.Step, Placement: d.placement(), Error: d.Error, Attempts: d.Attempts,
		CreatedAt: d.CreatedAt.UTC(), UpdatedAt: d.UpdatedAt.UTC(),
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
func (u *unit) record(ctx context.Context, op app.Operation) error {
	d, err := operationDocOf(op)
	if err != nil {
		return err
	}
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
	u.put(operations, d)
}

// open reports whether there is still something to do, and otherwise whether
// the operation has ended as it should.
func (d *operationDoc) isOpen(ended app.OperationState) (bool, error) {
	state := app.OperationState(d.State)
	if state.Open() {
		return true, nil
	}
	if state != ended {
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
func (r *Registry) OpenOperations(ctx context.Context) ([]app.Operation, error) {
	docs, err := find[operationDoc](ctx, r, operations, bson.D{{Key: "open", Value: true}},
		options.Find().SetSort(bson.D{{Key: "created_at", Value: 1}, {Key: "_id", Value: 1}}))
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

// AbortOperation is as app.Journal says. One that is aborting already keeps
// its first reason.
func (r *Registry) AbortOperation(ctx context.Context, id app.OperationID, reason string, t time.Time) error {
	return r.change(ctx, func(ctx context.Context, u *unit) error {
		d, err := u.operation(ctx, id)
		if err != nil {
			return err
		}
		switch app.OperationState(d.State) {
		case app.OperationAborting:
			return nil
		case app.OperationRunning:
		default:
			return errEnded(d)
		}
		d.State, d.Error, d.UpdatedAt = string(app.OperationAborting), reason, t
		u.put(operations, d)
		return nil
	})
}

// PruneOperations is as app.Journal says.
func (r *Registry) PruneOperations(ctx context.Context, before time.Time) (int, error) {
	// Nobody writes what has ended. But a redo record that is written once more
	// could bring it back, where nothing refuses that yet.
	if err := r.sweep(ctx); err != nil {
		return 0, r.translate(err)
	}
	result, err := r.db.Collection(operations).DeleteMany(ctx, bson.D{{Key: "open", Value: false},
		{Key: "updated_at", Value: bson.D{{Key: "$lt", Value: before}}}})
	if err != nil {
		return 0, r.translate(err)
	}
	return int(result.DeletedCount), nil
}
