package mongodb

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"tenantry/app"
)

// lock makes changes of several documents one on a server without
// transactions. All servers of the installation share one document:
//
//	{_id: "lock", holder, fence, sequence, redo}
//
// Whoever writes takes it (fence + 1), reads what it needs, and then commits
// by one write to that very document, on the condition that the fence is still
// its own: the redo record, with every document as it will be and the version
// that each has now. After that the documents are written one by one. Who
// takes the lock next, be it after a crash, writes them again first; each
// write is on the condition of its version, so writing twice is writing once.
//
// A holder that was paused, and whose lock was taken meanwhile, can still send
//
//   - its commit: the fence is not its own any more, and nothing happens;
//   - documents of its redo record, which others have written since: a change
//     or a removal finds another version, since versions are the sequence
//     numbers of commits and none comes twice; a new document finds that
//     document, or what is left of it when it was removed since: the mark
//     "gone". The marks are swept now and then. Before that, the collections'
//     validators are told to refuse versions below the sequence number of
//     today, so what such a holder still sends is refused after that as well.
//
// No clock is in any of this. Time decides only when to take the lock from a
// holder that does not move, and a wrong guess costs that holder a new try.
//
// Readers who hold no lock may see a change of several documents in part, for
// the milliseconds that writing them takes. Each of the promises that hang on
// such a change (a slug, a state, a password) is one document's matter.
type lock struct {
	r      *Registry
	holder string // this process
	// patience is how long a holder may not move before the lock is taken from
	// it.
	patience time.Duration

	mu sync.Mutex
	// held is what the lock's document said last, while it is ours.
	held    bool
	state   lockState
	since   time.Time
	waiting atomic.Int64
}

type lockState struct {
	Holder   string `bson:"holder"`
	Fence    int64  `bson:"fence"`
	Sequence int64  `bson:"sequence"`
	Redo     *redo  `bson:"redo,omitempty"`
}

const (
	locks  = "locks"
	lockID = "lock"
	// stealAfter is the patience with a holder, unless the options have another.
	stealAfter = 2 * time.Second
	// keepFor is how long a process keeps the lock from others while more of its
	// own wait for it.
	keepFor = 50 * time.Millisecond
)

// write composes a unit under the lock and writes it.
func (l *lock) write(ctx context.Context, u *unit, compose func(ctx context.Context, u *unit) error) error {
	l.waiting.Add(1)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting.Add(-1)
	if err := l.take(ctx); err != nil {
		return err
	}
	err := compose(ctx, u)
	if err == nil {
		err = u.clash(ctx)
	}
	if err == nil && (len(u.changes) > 0 || len(u.heard) > 0) {
		err = l.commit(ctx, u)
	}
	if l.held && (l.waiting.Load() == 0 || time.Since(l.since) > keepFor) {
		l.release(ctx)
	}
	return err
}

// clash refuses a unit that a unique index would refuse after its commit, when
// there is no way back. The claims keep that from happening; this is for the
// day on which they do not.
func (u *unit) clash(ctx context.Context) error {
	for _, c := range u.changes {
		var same []bson.E
		switch d := c.doc.(type) {
		case *organizationDoc:
			same = append(same, bson.E{Key: "slug", Value: d.Slug})
			if d.ExternalID != "" {
				same = append(same, bson.E{Key: "external_id", Value: d.ExternalID})
			}
		case *userDoc:
			same = append(same, bson.E{Key: "email_key", Value: d.EmailKey})
		}
		for _, field := range same {
			n, err := u.r.db.Collection(c.Collection).CountDocuments(ctx,
				bson.D{field, {Key: "_id", Value: bson.D{{Key: "$ne", Value: c.ID}}}}, options.Count().SetLimit(1))
			if err != nil {
				return err
			}
			if n > 0 {
				return fmt.Errorf("%s %q of %s/%s is another's, and nobody's claim: %w", field.Key, field.Value, c.Collection, c.ID, app.ErrConflict)
			}
		}
	}
	return nil
}

// take takes the lock, and finishes what its last holder had committed.
func (l *lock) take(ctx context.Context) error {
	if l.held {
		return nil
	}
	var seen lockState
	var unmoved time.Time
	for try := 0; ; try++ {
		err := l.takeFrom(ctx, bson.D{{Key: "holder", Value: ""}})
		if err == nil {
			break
		}
		if !errors.Is(err, mongo.ErrNoDocuments) {
			return err
		}
		var now lockState
		err = l.r.db.Collection(locks).FindOne(ctx, byID(lockID)).Decode(&now)
		if errors.Is(err, mongo.ErrNoDocuments) {
			return l.r.refusal("The lock of the "+l.r.name+" was removed by somebody else. Restart a server: it makes it anew.", errors.New("there is no lock document"))
		}
		if err != nil {
			return err
		}
		if now.Holder == byTransactions && !l.r.transactions() {
			return l.r.refusal("The server of "+l.r.name+
				" is a replica set now, and was none when this program connected. Restart the program.", errors.New("the holder is "+byTransactions))
		}
		if now.Holder != seen.Holder || now.Fence != seen.Fence || now.Sequence != seen.Sequence {
			seen, unmoved = now, time.Now()
		}
		// Nobody else of this process is at work: what it holds is left from a
		// release that failed.
		if now.Holder == l.holder || now.Holder != "" && time.Since(unmoved) > l.patience {
			err := l.takeFrom(ctx, bson.D{{Key: "holder", Value: now.Holder}, {Key: "fence", Value: now.Fence}})
			if err == nil {
				break
			}
			if !errors.Is(err, mongo.ErrNoDocuments) {
				return err
			}
		}
		if !pause(ctx, try) {
			return l.r.unavailable(fmt.Errorf("the lock is held by %s: %w", now.Holder, ctx.Err()))
		}
	}
	l.since = time.Now()
	if l.state.Redo != nil {
		if err := l.apply(ctx, *l.state.Redo); err != nil {
			return err
		}
	}
	l.held = true
	return nil
}

func (l *lock) takeFrom(ctx context.Context, condition bson.D) error {
	l.state = lockState{}
	return l.r.db.Collection(locks).FindOneAndUpdate(ctx, append(byID(lockID), condition...), bson.D{
		{Key: "$set", Value: bson.D{{Key: "holder", Value: l.holder}}},
		{Key: "$inc", Value: bson.D{{Key: "fence", Value: int64(1)}}},
	}, options.FindOneAndUpdate().SetReturnDocument(options.After)).Decode(&l.state)
}

// mine is the lock's document while nobody has taken it since.
func (l *lock) mine() bson.D {
	return append(byID(lockID), bson.E{Key: "holder", Value: l.holder}, bson.E{Key: "fence", Value: l.state.Fence})
}

// commit makes a unit durable, then writes its documents.
func (l *lock) commit(ctx context.Context, u *unit) error {
	sequence := l.state.Sequence + 1
	u.stamp(sequence)
	record := redo{Sequence: sequence, Token: bson.NewObjectID()}
	for _, i := range u.heard {
		record.Heard = append(record.Heard, noticeOf(i))
	}
	if u.heardMark {
		record.Heard = append(record.Heard, notice{Mark: true})
	}
	for _, c := range u.changes {
		kept := redone{Collection: c.Collection, ID: c.ID, Before: c.Before}
		if c.After != nil {
			raw, err := bson.Marshal(c.After)
			if err != nil {
				return err
			}
			kept.After = raw
		}
		record.Changes = append(record.Changes, kept)
	}
	result, err := l.r.db.Collection(locks).UpdateOne(ctx, l.mine(), bson.D{{Key: "$set", Value: bson.D{
		{Key: "redo", Value: record}, {Key: "sequence", Value: sequence},
	}}})
	switch {
	case err != nil && isRefused(err):
		l.held = false
		return err
	case err != nil:
		l.held = false
		if err := l.resolve(ctx, record, err); err != nil {
			return err
		}
	case result.MatchedCount == 0:
		l.held = false
		return errAgain
	}
	l.state.Sequence = sequence
	if err := l.apply(ctx, record); err != nil {
		// It is committed. Whoever takes the lock next writes the rest, so try that
		// ourselves, for who reads after this must find it.
		l.held = false
		return l.finish(ctx, err)
	}
	return nil
}

// finish writes what is committed with a little more time than there was.
func (l *lock) finish(ctx context.Context, cause error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), resolveTimeout)
	defer cancel()
	if err := l.take(ctx); err != nil {
		return l.r.unavailable(fmt.Errorf("committed, and not yet written in full: %w", errors.Join(cause, err)))
	}
	return nil
}

// resolve finds out what became of a commit that did not answer: it takes the
// lock anew, after which that commit cannot happen any more if it has not.
func (l *lock) resolve(ctx context.Context, record redo, cause error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), resolveTimeout)
	defer cancel()
	if err := l.take(ctx); err != nil {
		return l.r.unavailable(fmt.Errorf("whether it was written is not known: %w", errors.Join(cause, err)))
	}
	if l.state.Redo != nil && l.state.Redo.Token == record.Token {
		return nil
	}
	n, err := l.r.db.Collection(events).CountDocuments(ctx, bson.D{{Key: "_id", Value: record.Sequence}, {Key: "token", Value: record.Token}})
	if err == nil && n == 1 {
		return nil
	}
	return l.r.unavailable(cause)
}

// release gives the lock back. Where that fails it is taken from us later.
func (l *lock) release(ctx context.Context) {
	l.held = false
	_, _ = l.r.db.Collection(locks).UpdateOne(ctx, l.mine(), bson.D{
		{Key: "$set", Value: bson.D{{Key: "holder", Value: ""}}},
		{Key: "$unset", Value: bson.D{{Key: "redo", Value: ""}}},
	})
}

// byTransactions is the holder where changes are written in transactions.
const byTransactions = "transactions"

// enterLock makes the lock's document, or takes it back from a time when the
// server was a replica set.
func (r *Registry) enterLock(ctx context.Context) error {
	ctx, cancel := r.writing(ctx)
	defer cancel()
	_, err := r.db.Collection(locks).InsertOne(ctx, bson.D{{Key: "_id", Value: lockID},
		{Key: "holder", Value: ""}, {Key: "fence", Value: int64(0)}, {Key: "sequence", Value: int64(0)}})
	if !isDuplicate(err) {
		return err
	}
	_, err = r.db.Collection(locks).UpdateOne(ctx, append(byID(lockID), bson.E{Key: "holder", Value: byTransactions}),
		bson.D{{Key: "$set", Value: bson.D{{Key: "holder", Value: ""}}}, {Key: "$inc", Value: bson.D{{Key: "fence", Value: int64(1)}}}})
	return err
}

// leaveLock ends the use of the lock on a server that has become a replica
// set, and finishes what was committed under it.
func (r *Registry) leaveLock(ctx context.Context) error {
	ctx, cancel := r.writing(ctx)
	defer cancel()
	var now lockState
	err := r.db.Collection(locks).FindOne(ctx, byID(lockID)).Decode(&now)
	if errors.Is(err, mongo.ErrNoDocuments) || err == nil && now.Holder == byTransactions {
		return nil
	}
	if err != nil {
		return err
	}
	l := r.lock
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.take(ctx); err != nil {
		return err
	}
	l.held = false
	for _, collection := range versioned {
		err := r.db.RunCommand(ctx, bson.D{{Key: "collMod", Value: collection}, {Key: "validator", Value: bson.D{}}}).Err()
		if err != nil {
			return err
		}
	}
	_, err = r.db.Collection(locks).UpdateOne(ctx, l.mine(), bson.D{
		{Key: "$set", Value: bson.D{{Key: "holder", Value: byTransactions}}},
		{Key: "$unset", Value: bson.D{{Key: "redo", Value: ""}}},
	})
	return err
}
