package mongodb

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"

	"tenantry/app"
)

// resolveTimeout is how long the outcome of a commit that did not answer is
// looked for.
const resolveTimeout = 5 * time.Second

// commit writes a unit in a transaction, or plainly when it is of a single
// document. errAgain: nothing was written.
func (r *Registry) commit(ctx context.Context, u *unit) error {
	if len(u.changes) == 0 {
		return nil
	}
	u.touch()
	// Negative, so that it is none of those that lock.go counts; and random, so
	// that it is nobody else's.
	u.stamp(-1 - rand.Int64N(1<<62)) //nolint:gosec // no secret
	if len(u.changes) == 1 {
		err := again(r.bulk(ctx, u.changes))
		if err == nil || errors.Is(err, errAgain) || isRefused(err) {
			return err
		}
		return r.resolve(ctx, u, err)
	}
	// Nothing is read in it, so it needs no read concern; every write has the
	// condition that it stands on with it.
	session, err := r.client.StartSession(options.Session().SetCausalConsistency(false))
	if err != nil {
		return err
	}
	defer session.EndSession(context.WithoutCancel(ctx))
	if err := session.StartTransaction(options.Transaction().SetReadConcern(&readconcern.ReadConcern{})); err != nil {
		return err
	}
	inside := mongo.NewSessionContext(ctx, session)
	if err := r.bulk(inside, u.changes); err != nil {
		aborting, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = session.AbortTransaction(aborting) // it ends by itself, too
		return again(err)
	}
	for try := 0; ; try++ {
		err := session.CommitTransaction(inside)
		switch {
		case err == nil:
			return nil
		case isServerError(err) && hasLabel(err, "TransientTransactionError") && !hasLabel(err, "UnknownTransactionCommitResult"):
			return errors.Join(errAgain, err)
		case !isRefused(err) && pause(ctx, try):
			continue // committing twice is committing once
		}
		return r.resolve(ctx, u, err)
	}
}

// again marks the errors that mean: nothing was written, compose it anew.
func again(err error) error {
	if errors.Is(err, errAgain) || isDuplicate(err) || hasLabel(err, "TransientTransactionError") ||
		hasCode(err, codeWriteConflict, 251) { // NoSuchTransaction; a bulk write loses its labels
		return errors.Join(errAgain, err)
	}
	return err
}

// touch makes a unit of nothing but removals change the first of them before:
// the store asks its validators about changes alone, and what is sent late must
// be refused by them.
func (u *unit) touch() {
	for _, c := range u.changes {
		if c.doc != nil {
			return
		}
	}
	first := u.changes[0]
	first.touch = true
	u.changes = append([]change{first}, u.changes...)
}

// touched is what is removed at once.
var touched = bson.D{{Key: "$set", Value: bson.D{{Key: "removed", Value: true}}}}

func hasLabel(err error, label string) bool {
	var e mongo.LabeledError
	return errors.As(err, &e) && e.HasErrorLabel(label)
}

// resolve finds out what became of a commit that did not answer. The commit may
// still be on its way, so it is not enough to look: where a document had been
// there before, it is given another version, which succeeds only if the commit
// did not happen and makes that it never will. So does the record of an
// operation that is put where the operation's would be.
func (r *Registry) resolve(ctx context.Context, u *unit, cause error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), resolveTimeout)
	defer cancel()
	for _, c := range u.changes {
		if c.doc == nil {
			continue
		}
		var now Header
		err := r.db.Collection(c.Collection).FindOne(ctx, byID(c.ID)).Decode(&now)
		switch {
		case err == nil && now.Version == c.doc.head().Version:
			return nil // it did happen
		case err == nil && now.Version == c.Before && c.Before != 0:
			settled, err := r.db.Collection(c.Collection).UpdateOne(ctx, version(c.ID, c.Before),
				bson.D{{Key: "$set", Value: bson.D{{Key: "version", Value: -1 - rand.Int64N(1<<62)}}}}) //nolint:gosec // no secret
			if err == nil && settled.MatchedCount == 1 {
				return r.unavailable(cause) // it did not, and never will
			}
		case errors.Is(err, mongo.ErrNoDocuments) && c.Collection == operations:
			op, isOperation := c.doc.(*operationDoc)
			if !isOperation {
				break
			}
			never := *op
			never.Version = -1 - rand.Int64N(1<<62) //nolint:gosec // no secret
			never.State, never.Open, never.Error = string(app.OperationFailed), false, "the database did not answer when it was recorded"
			if _, err := r.db.Collection(operations).InsertOne(ctx, never); err == nil {
				return r.unavailable(cause)
			}
		}
	}
	return r.unavailable(fmt.Errorf("whether it was written is not known: %w", cause))
}

// bulk writes changes in their order, each on its condition. errAgain when one
// did not hold; outside of a transaction those before it are written then.
func (r *Registry) bulk(ctx context.Context, changes []change) error {
	if len(changes) > 1 && r.bulkable() {
		return r.bulkAcross(ctx, changes)
	}
	for _, group := range byCollection(changes) {
		var models []mongo.WriteModel
		for _, c := range group {
			models = append(models, c.model())
		}
		result, err := r.db.Collection(group[0].Collection).BulkWrite(ctx, models)
		if err != nil {
			return err
		}
		if result.InsertedCount+result.MatchedCount+result.DeletedCount != int64(len(group)) {
			return errAgain
		}
	}
	return nil
}

// bulkAcross is bulk in one command.
func (r *Registry) bulkAcross(ctx context.Context, changes []change) error {
	writes := make([]mongo.ClientBulkWrite, len(changes))
	for i, c := range changes {
		writes[i] = mongo.ClientBulkWrite{Database: r.db.Name(), Collection: c.Collection, Model: c.clientModel()}
	}
	result, err := r.client.BulkWrite(ctx, writes, options.ClientBulkWrite().SetOrdered(true))
	if err != nil {
		return err
	}
	if result.InsertedCount+result.MatchedCount+result.DeletedCount != int64(len(changes)) {
		return errAgain
	}
	return nil
}

func version(id string, v int64) bson.D {
	return bson.D{{Key: "_id", Value: id}, {Key: "version", Value: v}}
}

func (c change) model() mongo.WriteModel {
	switch {
	case c.touch:
		return mongo.NewUpdateOneModel().SetFilter(version(c.ID, c.Before)).SetUpdate(touched)
	case c.After == nil:
		return mongo.NewDeleteOneModel().SetFilter(version(c.ID, c.Before))
	case c.Before == 0:
		return mongo.NewInsertOneModel().SetDocument(c.After)
	}
	return mongo.NewReplaceOneModel().SetFilter(version(c.ID, c.Before)).SetReplacement(c.After)
}

func (c change) clientModel() mongo.ClientWriteModel {
	switch {
	case c.touch:
		return mongo.NewClientUpdateOneModel().SetFilter(version(c.ID, c.Before)).SetUpdate(touched)
	case c.After == nil:
		return mongo.NewClientDeleteOneModel().SetFilter(version(c.ID, c.Before))
	case c.Before == 0:
		return mongo.NewClientInsertOneModel().SetDocument(c.After)
	}
	return mongo.NewClientReplaceOneModel().SetFilter(version(c.ID, c.Before)).SetReplacement(c.After)
}

// byCollection groups changes, each group in its order.
func byCollection(changes []change) [][]change {
	var groups [][]change
	at := map[string]int{}
	for _, c := range changes {
		i, known := at[c.Collection]
		if !known {
			i = len(groups)
			at[c.Collection] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], c)
	}
	return groups
}
