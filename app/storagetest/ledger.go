package storagetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tenantry/app"
)

// ledger is writers of one organization, each with documents of its own and a
// list of what was acknowledged. A write that is refused because of a move is
// tried again, wherever the organization is by then.
type ledger struct {
	where   func() (app.Documents, app.Namespace)
	writers []*ledgerWriter
	stop    atomic.Bool
	wait    sync.WaitGroup
	// Refusals that writers met.
	frozen, moved atomic.Int64

	mu      sync.Mutex
	more    sync.Cond
	written int // acknowledged writes
	failed  error
}

type ledgerWriter struct {
	n     int
	there map[app.DocumentID]app.Document
}

// beginLedger starts writers.
func beginLedger(ctx context.Context, writers int, where func() (app.Documents, app.Namespace)) *ledger {
	l := &ledger{where: where}
	l.more.L = &l.mu
	for n := range writers {
		w := &ledgerWriter{n: n, there: map[app.DocumentID]app.Document{}}
		l.writers = append(l.writers, w)
		l.wait.Go(func() {
			for i := 0; !l.stop.Load(); i++ {
				if err := l.write(ctx, w, i); err != nil {
					l.note(fmt.Errorf("writer %d, write %d: %w", w.n, i, err))
					return
				}
			}
		})
	}
	return l
}

// write does the i-th write of a writer, and again until it is taken.
func (l *ledger) write(ctx context.Context, w *ledgerWriter, i int) error {
	id := app.DocumentID(fmt.Sprintf("w-%d-%d", w.n, i%12))
	for {
		documents, ns := l.where()
		err := w.change(ctx, documents, ns, id, i)
		switch {
		case err == nil:
			l.note(nil)
			return nil
		case errors.Is(err, app.ErrFrozen):
			l.frozen.Add(1)
		case errors.Is(err, app.ErrMoved):
			l.moved.Add(1)
		default:
			return err
		}
		if l.stop.Load() {
			return nil
		}
		time.Sleep(time.Millisecond) // as who holds a write does
	}
}

// change does one write, whichever there is to do with the document.
func (w *ledgerWriter) change(ctx context.Context, documents app.Documents, ns app.Namespace, id app.DocumentID, i int) error {
	data := fmt.Appendf(nil, `{"writer":%d,"write":%d}`, w.n, i)
	was, there := w.there[id]
	switch {
	case !there:
		d := newDocument(id, []string{"note", "task"}[i%2], string(data))
		if err := documents.InsertDocument(ctx, ns, d); err != nil {
			return err
		}
		w.there[id] = d
	case i%5 == 4:
		if err := documents.DeleteDocument(ctx, ns, id, was.Revision); err != nil {
			return err
		}
		delete(w.there, id)
	case i%2 == 0:
		d, err := documents.ReplaceDocument(ctx, ns, id, was.Revision, app.Replacement{Data: data, At: beginning.Add(time.Duration(i) * time.Second)})
		if err != nil {
			return err
		}
		w.there[id] = d
	default:
		d, err := documents.UpdateDocument(ctx, ns, id, was.Revision, func(d *app.Document) error {
			d.Data = data
			return nil
		})
		if err != nil {
			return err
		}
		w.there[id] = d
	}
	return nil
}

func (l *ledger) note(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		l.written++
	} else if l.failed == nil {
		l.failed = err
	}
	l.more.Broadcast()
}

// moreWrites waits until n more are acknowledged.
func (l *ledger) moreWrites(t *testing.T, n int) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for want := l.written + n; l.written < want && l.failed == nil; {
		l.more.Wait()
	}
	must(t, l.failed)
}

// end stops the writers, lets each end the write that it is at, and gives what
// must be there.
func (l *ledger) end(t *testing.T) map[app.DocumentID]app.Document {
	t.Helper()
	l.stop.Store(true)
	l.wait.Wait()
	must(t, l.failed)
	all := map[app.DocumentID]app.Document{}
	for _, w := range l.writers {
		for id, d := range w.there {
			all[id] = d
		}
	}
	return all
}

func byID(list []app.Document) map[app.DocumentID]app.Document {
	m := make(map[app.DocumentID]app.Document, len(list))
	for _, d := range list {
		m[d.ID] = d
	}
	return m
}

// same compares two sets of documents and names the first that differs.
func same(t *testing.T, what string, got, want map[app.DocumentID]app.Document) {
	t.Helper()
	for id, d := range want {
		if _, there := got[id]; !there {
			t.Fatalf("%s: %s is missing", what, id)
		}
		equal(t, what, got[id], d)
	}
	for id := range got {
		if _, there := want[id]; !there {
			t.Fatalf("%s: %s should not be there", what, id)
		}
	}
}
