package mongodb

import (
	"context"
	"fmt"
	"time"

	"tenantry/app"
)

// Two versions of the program on one registry.
//
// A newer one that starts brings the schema up to date while older ones run.
// Each schema says which is the oldest that may go on beside it (schema.oldest).
// Where that leaves out programs that may run, it is written down first, as any
// change of the registry is, so that all of them hear of it in the order of
// changes; then a lease passes, after which none begins anything, and the time
// that a call may take, after which what they had begun has ended. Only then
// does the migration begin. A server that was stopped looks before it does
// anything, since it has not heard from the registry for a lease: see Closed.
//
// What a cluster has is changed with the registry's consent: a schema of
// clusters that an older program must not write to comes with a schema of the
// registry that shuts that out, and a server opens its registry first.

// looksSince is the schema by which programs began to look whether they are shut
// out.
const looksSince = 3

// oldestDoc says which schema a program must know to use the registry.
type oldestDoc struct {
	Header `bson:",inline"`
	Oldest int    `bson:"oldest"`
	Wrote  string `bson:"tenantry"` // the version that said so
}

const oldestID = "oldest"

// ShutOutError says that a newer version of the program has the registry now,
// and that this one may not use it beside that.
type ShutOutError struct {
	Wrote   string // the newer version
	Version string // this one
}

func (e *ShutOutError) Error() string {
	return fmt.Sprintf("tenantry %s has brought the registry up to date, and this version (%s) may not use it any more; install tenantry %s or newer on this server",
		e.Wrote, e.Version, e.Wrote)
}

// shutOut is why this program may not use the registry any more, or nil.
func (r *Registry) shutOut(ctx context.Context) (*ShutOutError, error) {
	var d oldestDoc
	err := passOver(r.db.Collection(marks).FindOne(ctx, byID(oldestID)).Decode(&d))
	if err != nil || d.Oldest <= len(r.known.migrations) {
		return nil, err
	}
	return &ShutOutError{Wrote: d.Wrote, Version: r.version}, nil
}

// exclude shuts out programs that may not run beside this one, and waits until
// they have stopped.
func (r *Registry) exclude(ctx context.Context, now schemaDoc) error {
	if now.Version < looksSince || now.Version >= len(r.known.migrations) || r.known.oldest <= looksSince {
		return nil // there is none, or none that would hear it, or nobody is shut out
	}
	news := false
	err := r.change(ctx, func(ctx context.Context, u *unit) error {
		d := oldestDoc{Header: Header{ID: oldestID}}
		if _, err := u.get(ctx, marks, oldestID, &d); err != nil {
			return err
		}
		if news = d.Oldest < r.known.oldest; news {
			d.Oldest, d.Wrote = r.known.oldest, r.version
			u.put(marks, &d)
			u.heardMark = true
		}
		return nil
	})
	if err != nil {
		return err
	}
	pause := r.feed.lease + r.timeout
	r.log.Warn("servers of older versions are shut out of the registry before it is brought up to date",
		"from_schema", now.Version, "to_schema", len(r.known.migrations), "waiting", pause)
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(pause):
		return nil
	}
}

// closedBecause is what callers are told who come to a registry that this server
// may not use.
func closedBecause(why error, detail string) error {
	return &app.Error{Kind: app.ErrUnavailable, Code: "unavailable", RetryAfter: retryFull, Cause: why, Detail: detail}
}
