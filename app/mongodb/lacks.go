package mongodb

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// lacks is what a server turned out not to have of what MongoDB has. What
// speaks MongoDB's protocol says little about that: so it is tried, at start,
// with commands that change nothing.
type lacks struct {
	// transactions, or change streams, or what is unique among some documents
	// only: the registry is written under a lock then.
	transactions bool
	bulk         bool // no writes to several collections by one command
	joins        bool // no reading of several collections by one command
	validators   bool // what a collection must not take is taken
	partial      bool // no indexes about some documents only
	atomic       bool // a write on a condition may be done where that holds no more
	elements     bool // a unique index does not go by each element of a list
}

// absent are codes by which servers say that they do not have something:
// MongoDB itself on a kind of server that does not, and others always.
var absent = []int{
	2,     // BadValue
	9,     // FailedToParse
	20,    // IllegalOperation: transactions on a standalone server
	59,    // CommandNotFound
	67,    // CannotCreateIndex
	72,    // InvalidOptions
	115,   // CommandNotSupported
	168,   // InvalidPipelineOperator
	197,   // InvalidIndexSpecificationOption
	238,   // NotImplemented
	263,   // OperationNotSupportedInTransaction
	303,   // FeatureNotSupported, on Amazon DocumentDB and Azure Cosmos DB
	17287, // an unknown operator of an expression, where others are unknown too
	40324, // an unknown stage of a pipeline
	40415, // an unknown field of a command
	40573, // change streams on a standalone server
	40602, // change streams of what cannot be watched
}

// isAbsent reports that the server does not have what it was asked for.
func isAbsent(err error) bool { return hasCode(err, absent...) }

// transactions reports whether several documents can be written as one, and
// others hear of it by a change stream.
func (s *server) transactions() bool { return s.hello.transactions() && !s.lacks.transactions }

// bulkable reports whether several collections can be written by one command.
func (s *server) bulkable() bool { return s.hello.bulk() && !s.lacks.bulk }

// without says, once and for people, what a server does not have and what that
// means. cause is how it was found out; it may be nil.
func (s *server) without(what, so string, cause error) {
	attrs := []any{"at", s.name, "so", so}
	if cause != nil {
		attrs = append(attrs, "because", s.cause(cause))
	}
	s.log.Warn("a database server has no "+what, attrs...)
}

// underLock is what goes on where there are no transactions.
const underLock = "changes are made one after the other, under a lock, and servers hear of each other's by reading a list"

// tryTransactions finds out whether a server that says so has transactions
// and change streams, as they are used here.
func (r *Registry) tryTransactions(ctx context.Context) error {
	err := r.rehearse(ctx)
	if err == nil {
		var stream *mongo.ChangeStream
		if stream, err = r.db.Watch(ctx, streamed); err == nil {
			_ = stream.Close(ctx)
			return nil
		}
		if isAbsent(err) {
			r.lacks.transactions = true
			r.without("change streams", underLock, err)
			return nil
		}
		return err
	}
	if isAbsent(err) {
		r.lacks.transactions = true
		r.without("transactions", underLock, err)
		return nil
	}
	return err
}

// rehearse writes something in a transaction, gives that up, and looks that
// it is not there.
func (r *Registry) rehearse(ctx context.Context) error {
	never := bson.D{{Key: "_id", Value: "never/" + bson.NewObjectID().Hex()}}
	list := r.db.Collection(schemas)
	session, err := r.client.StartSession(options.Session().SetCausalConsistency(false))
	if err != nil {
		return err
	}
	defer session.EndSession(context.WithoutCancel(ctx))
	if err := session.StartTransaction(); err != nil {
		return err
	}
	_, err = list.InsertOne(mongo.NewSessionContext(ctx, session), never)
	_ = session.AbortTransaction(context.WithoutCancel(ctx)) // where it is not known, the document is there
	if err != nil {
		return err
	}
	gone, err := list.DeleteOne(ctx, never)
	if err == nil && gone.DeletedCount != 0 {
		return mongo.CommandError{Code: 20, Message: "what was written in a transaction that was given up was there"}
	}
	return err
}

// tryBulk finds out whether the server takes writes to several collections in
// one command, as those do that say they are MongoDB 8.0.
func (s *server) tryBulk(ctx context.Context) error {
	if !s.hello.bulk() {
		return nil
	}
	_, err := s.client.BulkWrite(ctx, []mongo.ClientBulkWrite{{Database: s.db.Name(), Collection: schemas,
		Model: mongo.NewClientUpdateOneModel().SetFilter(byID("none")).SetUpdate(bson.D{{Key: "$set", Value: bson.D{{Key: "none", Value: true}}}})}})
	if s.lacks.bulk = isAbsent(err); s.lacks.bulk {
		s.without("command bulkWrite", "several commands are sent instead", err)
		return nil
	}
	return err
}

// tryRetries refuses a server that cannot tell a write that is sent again from
// a new one, unless the connection string says that none is.
func (s *server) tryRetries(ctx context.Context) error {
	if !s.hello.transactions() {
		return nil // the driver does not ask it to
	}
	_, err := s.db.Collection(schemas).UpdateOne(ctx, byID("none"), bson.D{{Key: "$set", Value: bson.D{{Key: "none", Value: true}}}})
	const cosmos = 301 // of Amazon's and Azure's
	if isAbsent(err) || hasCode(err, cosmos) {
		return s.refusal("The server of "+s.name+" does not take retryable writes. Add retryWrites=false to the connection string.", err)
	}
	return err
}

// proof is a collection that takes nothing, if the server keeps validators.
const proof = "proof"

// tryValidators finds out whether the store refuses what its validators forbid.
func (s *server) tryValidators(ctx context.Context) error {
	cause := s.createAs(ctx, s.db, proof, refusing)
	if cause == nil || hasCode(cause, codeNamespaceExists) {
		cause = s.validate(ctx, s.db, proof, refusing)
	}
	if cause == nil {
		mark := bson.D{{Key: "_id", Value: bson.NewObjectID()}}
		_, err := s.db.Collection(proof).InsertOne(ctx, mark)
		if hasCode(err, codeInvalid) {
			return nil
		}
		if err == nil {
			_, err = s.db.Collection(proof).DeleteOne(ctx, mark)
		}
		if err != nil {
			return err
		}
	} else if !isAbsent(cause) {
		return cause
	}
	s.lacks.validators = true
	return nil
}

// tryAtomic finds out whether of several writes on one condition, which each of
// them ends, only one is done. Servers where more were done are known by that;
// those where it did not happen are taken at their word.
func (s *server) tryAtomic(ctx context.Context) error {
	const rounds, writers = 16, 8
	run := bson.NewObjectID().Hex()
	list := s.db.Collection(proof)
	if _, err := list.InsertOne(ctx, bson.D{{Key: "_id", Value: run}, {Key: "holds", Value: run}, {Key: "n", Value: 0}}); err != nil {
		return err
	}
	defer func() { _, _ = list.DeleteOne(context.WithoutCancel(ctx), byID(run)) }()
	for n := 0; n < rounds && !s.lacks.atomic; n++ {
		var won atomic.Int64
		var failed atomic.Pointer[error]
		var all sync.WaitGroup
		for range writers {
			all.Go(func() {
				result, err := list.UpdateOne(ctx, append(byID(run), bson.E{Key: "n", Value: n}), bson.D{{Key: "$set", Value: bson.D{{Key: "n", Value: n + 1}}}})
				if err != nil {
					failed.Store(&err)
				} else {
					won.Add(result.MatchedCount)
				}
			})
		}
		all.Wait()
		if err := failed.Load(); err != nil {
			return *err
		}
		s.lacks.atomic = won.Load() > 1
	}
	if s.lacks.atomic {
		s.without("atomic updates", "this server must be the only one that uses it", nil)
	}
	return nil
}

// tryElements finds out whether a unique index goes by each element of a list.
// Only servers without validators are asked: their proof takes documents.
func (c *Cluster) tryElements(ctx context.Context) error {
	if err := makeIndexes(ctx, c.server, c.db, []index{{proof, "holds", bson.D{{Key: "holds", Value: 1}}, true, "", nil}}); err != nil {
		return err
	}
	run := bson.NewObjectID().Hex()
	defer func() {
		_, _ = c.db.Collection(proof).DeleteMany(context.WithoutCancel(ctx), bson.D{{Key: "run", Value: run}})
	}()
	for i, holds := range [][]string{{run}, {"a " + run, run}} {
		_, err := c.db.Collection(proof).InsertOne(ctx, bson.D{{Key: "_id", Value: fmt.Sprint(run, i)}, {Key: "run", Value: run}, {Key: "holds", Value: holds}})
		if isDuplicate(err) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	c.lacks.elements = true
	c.without("unique index of the elements of lists", "that no two organizations have one collection is held by the registry alone", nil)
	return nil
}
