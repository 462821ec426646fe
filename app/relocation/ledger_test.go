package relocation_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"time"

	"tenantry/app"
	"tenantry/app/documents"
)

// ledger is one writer's own list of what was acknowledged. Nobody else writes
// its documents.
type ledger struct {
	n       int
	has     map[app.DocumentID]app.Document
	acts    int
	longest time.Duration
}

// crowd writes to one organization through all servers, until it is stopped.
type crowd struct {
	w       *town
	org     app.Organization
	owner   app.Actor
	ledgers []*ledger
	stop    context.CancelFunc
	done    sync.WaitGroup
	errs    []error
}

func (w *town) crowd(org app.Organization, owner app.Actor) *crowd {
	c := &crowd{w: w, org: org, owner: owner}
	for n := range 16 {
		c.ledgers = append(c.ledgers, &ledger{n: n, has: map[app.DocumentID]app.Document{}})
	}
	c.errs = make([]error, len(c.ledgers))
	c.start()
	return c
}

func (c *crowd) start() {
	ctx, stop := context.WithCancel(context.Background())
	c.stop = stop
	for i, l := range c.ledgers {
		c.done.Go(func() {
			for ctx.Err() == nil && c.errs[i] == nil {
				c.errs[i] = c.act(l)
			}
		})
	}
}

// act creates, replaces, patches or deletes a document, and reads it through
// whichever server.
func (c *crowd) act(l *ledger) error {
	through := func() *documents.Service { return c.w.offices[rand.IntN(len(c.w.offices))].docs }
	if c.w.pause > 0 {
		time.Sleep(rand.N(c.w.pause))
	}
	ctx, cancel := context.WithTimeout(context.Background(), c.w.terms.CutoverTimeout)
	defer cancel()
	id := app.DocumentID(fmt.Sprintf("w%02d-%03d", l.n, rand.IntN(60)))
	data := fmt.Appendf(nil, `{"n":%d}`, l.acts)
	l.acts++
	began := time.Now()
	d, there := l.has[id]
	var err error
	switch act := rand.IntN(4); {
	case !there:
		d, err = through().Create(ctx, c.owner, string(c.org.ID), documents.CreateInput{ID: string(id), Type: "t", Data: data})
	case act == 0:
		err = through().Delete(ctx, c.owner, string(c.org.ID), string(id), d.Revision)
	case act == 1:
		d, err = through().Put(ctx, c.owner, string(c.org.ID), string(id), documents.PutInput{Data: data, IfRevision: d.Revision})
	default:
		d, err = through().Patch(ctx, c.owner, string(c.org.ID), string(id), documents.PatchInput{Patch: data, IfRevision: d.Revision})
	}
	l.longest = max(l.longest, time.Since(began))
	if err != nil {
		return fmt.Errorf("%s at revision %d: %w", id, l.has[id].Revision, err)
	}
	if there && d.Revision == l.has[id].Revision {
		delete(l.has, id)
	} else {
		l.has[id] = d
	}
	want, there := l.has[id]
	got, err := through().Get(ctx, c.owner, string(c.org.ID), string(id))
	switch {
	case errors.Is(err, app.ErrNotFound) && !there:
	case err != nil:
		return fmt.Errorf("read %s at revision %d: %w", id, want.Revision, err)
	case !there || got.Revision != want.Revision || string(got.Data) != string(want.Data):
		return fmt.Errorf("%s was read as %+v after %+v was acknowledged", id, got, want)
	}
	return nil
}

// rest stops the writers and compares their ledgers with what is there.
func (c *crowd) rest() {
	c.w.t.Helper()
	c.stop()
	c.done.Wait()
	c.w.ok(errors.Join(c.errs...))
	want := map[app.DocumentID]app.Document{}
	for _, l := range c.ledgers {
		maps.Copy(want, l.has)
	}
	for _, o := range c.w.offices {
		seen := map[app.DocumentID]bool{}
		in := documents.ListInput{Limit: documents.MaxLimit}
		for {
			page, err := o.docs.List(context.Background(), c.owner, string(c.org.ID), in)
			c.w.ok(err)
			for _, got := range page.Items {
				d, there := want[got.ID]
				if !there || seen[got.ID] || d.Revision != got.Revision || string(d.Data) != string(got.Data) || !d.UpdatedAt.Equal(got.UpdatedAt) || !d.CreatedAt.Equal(got.CreatedAt) {
					c.w.t.Errorf("%s is there as %+v, and was acknowledged as %+v", got.ID, got, d)
				}
				seen[got.ID] = true
			}
			if in.Cursor = page.NextCursor; in.Cursor == "" {
				break
			}
		}
		if len(seen) != len(want) {
			c.w.t.Errorf("%d documents are there, and %d were acknowledged", len(seen), len(want))
		}
	}
}

// held gives the longest that any act took, and how many there were.
func (c *crowd) held() (longest time.Duration, acts int) {
	for _, l := range c.ledgers {
		longest, acts = max(longest, l.longest), acts+l.acts
	}
	return longest, acts
}
