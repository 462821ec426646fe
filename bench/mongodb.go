package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"

	"tenantry/app/client"
	"tenantry/app/mongodb/mongotest"
)

const (
	mongoRounds = 5
	// feedWatch is how long the reads of the feed are counted.
	feedWatch             = 10 * time.Second
	fewActive, manyActive = 100, 10_000
)

// measureMongoDB counts what acts cost in commands to MongoDB, as they pass
// between the program and the server that the tests use too, and compares
// inserts through the program with the same ones by the driver alone. That
// server shares the client's core: it is the ceiling of both.
func measureMongoDB(b *bench) (rows []row, err error) {
	m, err := mongotest.Run(mongotest.ReplicaSet)
	if err != nil {
		fmt.Fprintln(os.Stderr, "mongodb: left out, since there is no server:", err)
		return nil, nil
	}
	defer m.Kill()
	w, err := watchWire(b.ctx, m.Address())
	if err != nil {
		return nil, err
	}
	defer w.close()
	for _, measure := range []func(*bench, *mongotest.Server, *wire) ([]row, error){countActs, compareInserts, countFeed} {
		more, err := measure(b, m, w)
		if err != nil {
			return nil, err
		}
		rows = append(rows, more...)
	}
	return rows, nil
}

// onMongoDB starts a server whose registry and cluster are databases behind
// the address.
func (b *bench) onMongoDB(folder, address, name string, settings ...string) (*server, error) {
	url := func(database string) string {
		return "mongodb://" + address + "/" + name + "_" + database + "?directConnection=true"
	}
	return b.serve(filepath.Join(b.dir, folder), append(settings, cheapPasswords, "SEAL_KEY=MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
		"REGISTRY_URL="+url("registry"), "CLUSTERS_DEFAULT_URL="+url("data"))...)
}

// act is something that is done over HTTP, a few times, and its cost.
type act struct {
	name string
	// most is how many commands it may take; negative: whatever it takes.
	most float64
	do   func(n int) error
}

// countActs counts commands for each of the acts.
func countActs(b *bench, _ *mongotest.Server, w *wire) (rows []row, err error) {
	first, err := b.onMongoDB("acts-1", w.address, "acts")
	if err != nil {
		return nil, err
	}
	defer stopping(first.process, &err)
	// Another one, which has seen none of it.
	second, err := b.onMongoDB("acts-2", w.address, "acts")
	if err != nil {
		return nil, err
	}
	defer stopping(second.process, &err)
	acts, err := first.acts(b.ctx, second)
	if err != nil {
		return nil, err
	}
	for _, act := range acts {
		var costs []sent
		for n := range mongoRounds {
			w.take()
			if err := act.do(n); err != nil {
				return nil, fmt.Errorf("%s: %w", act.name, err)
			}
			costs = append(costs, w.take())
		}
		// Now and then something in the background comes between.
		slices.SortFunc(costs, func(a, b sent) int { return len(a.acts) - len(b.acts) })
		c := costs[len(costs)/2]
		figures := strings.Join(c.acts, ", ")
		if c.commits > 0 {
			figures += fmt.Sprintf("; %d commits", c.commits)
		}
		rows = append(rows, row{Name: "commands to MongoDB: " + act.name, Value: float64(len(c.acts)),
			AtMost: max(0, act.most), Zero: act.most == 0, Figures: figures})
	}
	return rows, nil
}

// acts are done by this server, unless they are about another.
func (s *server) acts(ctx context.Context, other *server) ([]act, error) {
	here, err := s.api("")
	if err != nil {
		return nil, err
	}
	there, err := other.api("")
	if err != nil {
		return nil, err
	}
	email := func(n int) string { return fmt.Sprintf("owner-%d@example.com", n) }
	slug := func(n int) string { return fmt.Sprintf("cost-%d", n) }
	tokens := make([]string, mongoRounds)
	get := func(c *client.Client) func(int) error {
		return func(n int) error { _, err := c.As(tokens[n]).Organization(ctx, slug(n)); return err }
	}
	data := []byte(documentData)
	return []act{
		{"create an organization", 5, func(n int) error {
			_, err := here.CreateOrganization(ctx, client.NewOrganization{Name: slug(n), Owner: &client.NewOwner{Email: email(n), Password: password}})
			return err
		}},
		{"sign in", 2, func(n int) error {
			in, err := here.Login(ctx, email(n), password, "")
			tokens[n] = in.AccessToken
			return err
		}},
		{"get an organization, where neither it nor the token was seen", 1, get(there)},
		{"get it again", 0, get(there)},
		{"get it where it was made", 1, get(here)},
		{"create a document", 1, func(n int) error {
			_, err := here.As(tokens[n]).CreateDocument(ctx, slug(n), client.NewDocument{ID: "d", Type: "note", Data: data})
			return err
		}},
		{"get a document", 1, func(n int) error { _, err := here.As(tokens[n]).Document(ctx, slug(n), "d"); return err }},
		{"replace a document", 1, func(n int) error {
			_, err := here.As(tokens[n]).PutDocument(ctx, slug(n), "d", "", data, 0)
			return err
		}},
		{"patch a document", -1, func(n int) error {
			_, err := here.As(tokens[n]).PatchDocument(ctx, slug(n), "d", []byte(`{"more":1}`), 0)
			return err
		}},
		{"delete a document", 2, func(n int) error { return here.As(tokens[n]).DeleteDocument(ctx, slug(n), "d", 0) }},
	}, nil
}

// compareInserts compares inserts of documents through the program with those
// that its driver makes without it, on the same server and as durably.
func compareInserts(b *bench, m *mongotest.Server, _ *wire) (rows []row, err error) {
	s, err := b.onMongoDB("inserts", m.Address(), "inserts")
	if err != nil {
		return nil, err
	}
	defer stopping(s.process, &err)
	token, err := s.organization(b.ctx, "bench")
	if err != nil {
		return nil, err
	}
	post := appendPost(nil, "/v1/organizations/bench/documents", token, newDocument)
	var ours, driver []float64 // processor time for an insert, in milliseconds
	ratio, rate, err := b.compare(documentRounds, func() (float64, error) {
		before := processTime(s.cmd.Process.Pid)
		o, err := load{address: s.address, connections: documentClients, request: same(post), duration: bareRound}.run()
		if err != nil {
			return 0, err
		}
		ours = append(ours, 1000*(processTime(s.cmd.Process.Pid)-before).Seconds()/float64(o.good()))
		return o.rate(), o.allGood()
	}, func() (float64, error) {
		before := childrenTime()
		rate, err := b.runChild("mongodb-inserts", m.Address())
		driver = append(driver, 1000*(childrenTime()-before).Seconds()/(rate*bareRound.Seconds()))
		return rate, err
	})
	if err != nil {
		return nil, err
	}
	return []row{{
		Name: "documents inserted into MongoDB over HTTP, 64 clients, to the driver alone", Value: ratio, Unit: "x", AtLeast: 0.6,
		Figures: fmt.Sprintf("%s/s, the driver %s/s", count(rate.ours), count(rate.other)),
	}, {
		Name: "the processor time that the driver takes for one, to the program's", Value: median(driver) / median(ours), Unit: "x",
		Figures: fmt.Sprintf("%.2f ms, the driver %.2f ms", median(ours), median(driver)),
	}}, nil
}

// insertByDriver inserts documents as large as the program's, from as many
// goroutines as there are clients, and prints how many per second.
func insertByDriver(ctx context.Context, address string) error {
	c, err := mongo.Connect(options.Client().ApplyURI("mongodb://" + address + "/?directConnection=true").
		SetWriteConcern(&writeconcern.WriteConcern{W: "majority", Journal: new(true)}))
	if err != nil {
		return err
	}
	defer func() { _ = c.Disconnect(ctx) }()
	organization, err := uuid.NewV7()
	if err != nil {
		return err
	}
	validator := bson.D{{Key: "org_id", Value: organization.String()}, {Key: "generation", Value: int64(1)}}
	db := c.Database("bench_bare")
	name := "org_" + bson.NewObjectID().Hex()
	if err := db.CreateCollection(ctx, name, options.CreateCollection().SetValidator(validator)); err != nil {
		return err
	}
	insert := func() error {
		id, err := uuid.NewV7()
		if err != nil {
			return err
		}
		now := time.Now()
		_, err = db.Collection(name).InsertOne(ctx, append(bson.D{{Key: "_id", Value: id.String()}, {Key: "type", Value: "note"},
			{Key: "revision", Value: int64(1)}, {Key: "created_at", Value: now}, {Key: "updated_at", Value: now},
			{Key: "data", Value: documentData}, {Key: "tag", Value: now.UnixNano()}}, validator...))
		return err
	}
	return repeatAtOnce(documentClients, insert)
}

// countFeed counts the reads by which a server hears what others change, while
// it serves few organizations and while it serves many.
func countFeed(b *bench, m *mongotest.Server, w *wire) (rows []row, err error) {
	s, err := b.onMongoDB("feed", w.address, "feed")
	if err != nil {
		return nil, err
	}
	defer stopping(s.process, &err)
	if _, err := s.organization(b.ctx, templateName); err != nil {
		return nil, err
	}
	key, err := s.operatorKey(b.ctx)
	if err != nil {
		return nil, err
	}
	if err := multiply(b.ctx, m.Client().Database("feed_registry").Collection("organizations"), manyActive); err != nil {
		return nil, err
	}
	watch := func(active int) (feed, others float64, err error) {
		next := 0
		request := func(b []byte) []byte {
			next++
			return append(b, get(fmt.Sprintf("/v1/organizations/active-%d", next%active), key)...)
		}
		l := load{address: s.address, connections: documentClients, request: request, limit: active}
		for range 2 { // each is in memory then
			if o, err := l.run(); err != nil {
				return 0, 0, err
			} else if err := o.allGood(); err != nil {
				return 0, 0, err
			}
		}
		l.limit, l.duration = 0, feedWatch
		w.take()
		o, err := l.run()
		if err == nil {
			err = o.allGood()
		}
		c := w.take()
		return float64(c.feed) / o.took.Seconds(), float64(len(c.acts)) / o.took.Seconds(), err
	}
	few, fewOthers, err := watch(fewActive)
	if err != nil {
		return nil, err
	}
	many, manyOthers, err := watch(manyActive)
	if err != nil {
		return nil, err
	}
	return []row{{
		Name:  fmt.Sprintf("reads of the feed with %s active organizations, to %s", count(manyActive), count(fewActive)),
		Value: many / few, Unit: "x", AtMost: 1.2,
		Figures: fmt.Sprintf("%.1f and %.1f a second; all other commands %.1f and %.1f", many, few, manyOthers, fewOthers),
	}}, nil
}

// multiply makes organizations out of the only one there is.
func multiply(ctx context.Context, organizations *mongo.Collection, n int) error {
	var template bson.D
	if err := organizations.FindOne(ctx, bson.D{}).Decode(&template); err != nil {
		return err
	}
	var copies []any
	for i := range n {
		id, err := uuid.NewV7()
		if err != nil {
			return err
		}
		others := map[string]any{"_id": id.String(), "slug": fmt.Sprintf("active-%d", i), "collection": fmt.Sprintf("org_active_%d", i)}
		c := slices.Clone(template)
		for at, field := range c {
			if other, there := others[field.Key]; there {
				c[at].Value = other
			}
		}
		copies = append(copies, c)
	}
	_, err := organizations.InsertMany(ctx, copies)
	return err
}
