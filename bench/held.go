package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"tenantry/app/client"
	"tenantry/app/mongodb/mongotest"
)

const (
	heldWriters, heldEach = 16, 60
	// heldDocuments is how many an organization has that is moved under load.
	heldDocuments = 5_000
	// heldBound is twice the default placement_lease and a second.
	heldBound = 3 * time.Second
)

// longestHeld moves an organization while clients write to it without pause, and
// gives the longest that one of them waited for the answer to a write.
func longestHeld(b *bench, m *mongotest.Server) (rows []row, err error) {
	r, err := b.held("of one server, SQLite to SQLite", "held", "b", inFiles(nil, "")...)
	if err != nil || m == nil {
		return r, err
	}
	rows = append(rows, r...)
	shared := append(inFiles(m, "held_data"), "REGISTRY_URL=mongodb://"+m.Address()+"/held_registry?directConnection=true",
		"SEAL_KEY=MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
	r, err = b.held("with a registry on MongoDB, SQLite to MongoDB", "held-mongodb", "m", shared...)
	return append(rows, r...), err
}

func (b *bench) held(name, folder, to string, settings ...string) (_ []row, err error) {
	v, err := b.movers(folder, settings...)
	if err != nil {
		return nil, err
	}
	defer stopping(v.process, &err)
	if err := v.fill("bench", v.token, heldDocuments); err != nil {
		return nil, err
	}
	w, err := v.write(b.ctx)
	if err != nil {
		return nil, err
	}
	time.Sleep(2 * time.Second)
	before := w.longest()
	op, took, err := v.move(b.ctx, "bench", to)
	if stopped := w.stop(); err == nil {
		err = stopped
	}
	if err != nil {
		return nil, err
	}
	return []row{{
		Name:  "the longest that a write waited while its organization moved, " + name,
		Value: w.longest().Seconds(), Unit: "s", AtMost: heldBound.Seconds(),
		Figures: fmt.Sprintf("%d clients, %d writes; without a move %.2f s; moved in %.1f s; held by the server's count for %.2f s in %d tries to switch",
			heldWriters, w.writes(), before.Seconds(), took.Seconds(), op.Relocation.HeldSeconds, op.Relocation.Cutovers),
	}}, nil
}

// heldID is that of a document of a writer.
func heldID(writer, n int) string { return fmt.Sprintf("w%02d-%03d", writer, n) }

// crowd is clients that write without pause.
type crowd struct {
	cancel  context.CancelFunc
	writing sync.WaitGroup
	errs    []error

	mu     sync.Mutex
	waited []time.Duration
}

func (v *movers) write(ctx context.Context) (*crowd, error) {
	ctx, cancel := context.WithCancel(ctx)
	c := &crowd{cancel: cancel, errs: make([]error, heldWriters)}
	for n := range heldWriters {
		api, err := v.api(v.token)
		if err != nil {
			return nil, errors.Join(err, c.stop())
		}
		for i := range heldEach {
			_, err := api.CreateDocument(ctx, "bench", client.NewDocument{ID: heldID(n, i), Type: "note", Data: []byte(documentData)})
			if err != nil {
				return nil, errors.Join(err, c.stop())
			}
		}
		c.writing.Go(func() {
			for ctx.Err() == nil && c.errs[n] == nil {
				began := time.Now()
				id := heldID(n, rand.IntN(heldEach)) //nolint:gosec // no secret
				// What was begun is waited for.
				_, c.errs[n] = api.PutDocument(context.WithoutCancel(ctx), "bench", id, "note", []byte(documentData), 0)
				c.note(time.Since(began))
			}
		})
	}
	return c, nil
}

func (c *crowd) note(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waited = append(c.waited, d)
}

func (c *crowd) writes() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.waited)
}

func (c *crowd) longest() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waited) == 0 {
		return 0
	}
	return slices.Max(c.waited)
}

func (c *crowd) stop() error {
	c.cancel()
	c.writing.Wait()
	return errors.Join(c.errs...)
}
