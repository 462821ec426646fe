package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"tenantry/app/client"
	"tenantry/app/mongodb/mongotest"
)

const (
	// manyMoved and moved are how many documents an organization has that is moved,
	// among files and with MongoDB: the server of the tests, which is written in
	// Python, takes longer for each the more there are.
	manyMoved, moved      = 50_000, 10_000
	fileMoves, mongoMoves = 4, 2 // rounds
	lookEvery             = 5 * time.Millisecond
)

// measureRelocation compares moving an organization with bare loops that copy
// as many documents, renames of one that has many with those of one that has
// few, and the longest that a write waited with what is promised.
func measureRelocation(b *bench) (rows []row, err error) {
	m, err := mongotest.Run(mongotest.ReplicaSet)
	if err != nil {
		fmt.Fprintln(os.Stderr, "relocation: without MongoDB, since there is no server:", err)
		m = nil
	} else {
		defer m.Kill()
	}
	for _, measure := range []func(*bench, *mongotest.Server) ([]row, error){compareCopies, compareRenames, longestHeld} {
		more, err := measure(b, m)
		if err != nil {
			return nil, err
		}
		for _, r := range more { // with MongoDB it takes long
			fmt.Fprintf(os.Stderr, "relocation: %s: %s (%s)\n", r.Name, r.amount(r.Value), r.Figures)
		}
		rows = append(rows, more...)
	}
	return rows, nil
}

// movers is a server with two clusters of files, and "m" on MongoDB where there
// is one.
type movers struct {
	*server
	operator *client.Client
	token    string // of the owner of "bench"
}

// inFiles are the settings of two clusters in files, and of a third.
func inFiles(m *mongotest.Server, database string) []string {
	settings := []string{cheapPasswords, "CLUSTERS_DEFAULT_URL=sqlite:clusters/default", "CLUSTERS_B_URL=sqlite:clusters/b"}
	if m != nil {
		settings = append(settings, "CLUSTERS_M_URL=mongodb://"+m.Address()+"/"+database+"?directConnection=true")
	}
	return settings
}

func (b *bench) movers(name string, settings ...string) (*movers, error) {
	s, err := b.serve(filepath.Join(b.dir, name), settings...)
	if err != nil {
		return nil, err
	}
	v := &movers{server: s}
	key, err := s.operatorKey(b.ctx)
	if err == nil {
		v.operator, err = s.api(key)
	}
	if err == nil {
		v.token, err = s.organization(b.ctx, "bench")
	}
	if err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return v, nil
}

// fill creates documents in an organization.
func (v *movers) fill(name, token string, documents int) error {
	post := appendPost(nil, "/v1/organizations/"+name+"/documents", token, newDocument)
	o, err := load{address: v.address, connections: documentClients, request: same(post), limit: documents}.run()
	if err == nil {
		err = o.allGood()
	}
	return err
}

// move moves an organization to a cluster, and says how long it took until it
// had switched.
func (v *movers) move(ctx context.Context, org, to string) (client.Operation, time.Duration, error) {
	began := time.Now()
	op, err := v.operator.RelocateOrganization(ctx, org, client.Relocate{Cluster: to})
	if err == nil {
		op, err = v.wait(ctx, op, func(op client.Operation) bool { return !op.Open() || op.Relocation.Revertible })
	}
	took := time.Since(began)
	if err == nil && !op.Open() && op.State != "completed" {
		err = fmt.Errorf("the relocation is %s: %s", op.State, op.Error)
	}
	return op, took, err
}

// settle ends the grace period of a relocation.
func (v *movers) settle(ctx context.Context, op client.Operation) error {
	op, err := v.operator.CompleteOperation(ctx, op.ID)
	if err == nil {
		_, err = v.wait(ctx, op, func(op client.Operation) bool { return !op.Open() })
	}
	return err
}

func (v *movers) wait(ctx context.Context, op client.Operation, last func(client.Operation) bool) (client.Operation, error) {
	var err error
	for err == nil && !last(op) {
		time.Sleep(lookEvery)
		op, err = v.operator.Operation(ctx, op.ID)
	}
	return op, err
}

// rate is that of one side of a comparison: documents a second, and how many
// each second of the processor does.
type rate struct{ wall, processor float64 }

// copying is one move and one bare copy.
type copying struct{ ours, bare rate }

// moves is a move of so many documents to a cluster.
func (v *movers) moves(ctx context.Context, org string, documents int, to string) (r rate, err error) {
	before := processTime(v.cmd.Process.Pid)
	op, took, err := v.move(ctx, org, to)
	used := processTime(v.cmd.Process.Pid) - before
	if err == nil {
		err = v.settle(ctx, op)
	}
	return rate{float64(documents) / took.Seconds(), float64(documents) / used.Seconds()}, err
}

// copies is a bare copy.
func (b *bench) copies(documents int, from, to string) (r rate, err error) {
	before := childrenTime()
	r.wall, err = b.runChild("copies", strconv.Itoa(documents), from, to)
	r.processor = float64(documents) / (childrenTime() - before).Seconds()
	return r, err
}

// compareCopies compares moves of an organization with copies by a bare loop
// that reads a batch and inserts it.
func compareCopies(b *bench, m *mongotest.Server) (rows []row, err error) {
	v, err := b.movers("moves", inFiles(m, "moves")...)
	if err != nil {
		return nil, err
	}
	defer stopping(v.process, &err)
	if err := v.fill("bench", v.token, moved); err != nil {
		return nil, err
	}
	token, err := v.organization(b.ctx, "large")
	if err == nil {
		err = v.fill("large", token, manyMoved)
	}
	if err != nil {
		return nil, err
	}
	at, bare := "default", filepath.Join(b.dir, "bare-copies")
	copyOnce := func(org string, documents int, from, to, cluster string) (c copying, err error) {
		if c.bare, err = b.copies(documents, from, to); err == nil {
			c.ours, err = v.moves(b.ctx, org, documents, cluster)
		}
		return c, err
	}
	inFiles, err := calmest(b, fileMoves, func() (copying, error) {
		at = map[string]string{"default": "b", "b": "default"}[at]
		return copyOnce("large", manyMoved, bare, bare, at)
	})
	if err != nil {
		return nil, err
	}
	rows = moveRows("SQLite to SQLite", inFiles)
	if m == nil {
		return rows, nil
	}
	mongo := "mongodb://" + m.Address()
	type round struct{ there, back copying }
	all, err := calmest(b, mongoMoves, func() (r round, err error) {
		if r.there, err = copyOnce("bench", moved, bare, mongo, "m"); err == nil {
			r.back, err = copyOnce("bench", moved, mongo, bare, "default")
		}
		return r, err
	})
	if err != nil {
		return nil, err
	}
	var there, back []copying
	for _, r := range all {
		there, back = append(there, r.there), append(back, r.back)
	}
	rows = append(rows, moveRows("SQLite to MongoDB", there)...)
	return append(rows, moveRows("MongoDB to SQLite", back)...), nil
}

func moveRows(name string, all []copying) []row {
	figure := func(value func(copying) float64) float64 { return medianOf(all, value) }
	return []row{{
		Name:  "moving an organization, " + name + ", to a bare copy",
		Value: figure(func(c copying) float64 { return c.ours.wall / c.bare.wall }), Unit: "x", AtLeast: 0.6,
		Figures: fmt.Sprintf("%s documents of 500 bytes/s, copied, compared and switched; the bare copy %s/s",
			count(figure(func(c copying) float64 { return c.ours.wall })), count(figure(func(c copying) float64 { return c.bare.wall }))),
	}, {
		Name:  "the processor time that the bare copy takes for it, " + name + ", to the program's",
		Value: figure(func(c copying) float64 { return c.ours.processor / c.bare.processor }), Unit: "x",
		Figures: fmt.Sprintf("%.0f µs for each document, the bare copy %.0f µs",
			1e6/figure(func(c copying) float64 { return c.ours.processor }), 1e6/figure(func(c copying) float64 { return c.bare.processor })),
	}}
}
