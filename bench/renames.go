package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"go.mongodb.org/mongo-driver/v2/bson"

	"tenantry/app/client"
	"tenantry/app/mongodb/mongotest"
)

const (
	manyDocuments, someDocuments, fewDocuments = 100_000, 5_000, 10
	renameRounds                               = 15
)

// compareRenames compares renames of an organization that has many documents
// with those of one that has few. On MongoDB they are counted in commands: the
// server of the tests takes a time for each document of a collection that is
// renamed, which MongoDB does not.
func compareRenames(b *bench, m *mongotest.Server) (rows []row, err error) {
	files, err := b.movers("renames", cheapPasswords)
	if err != nil {
		return nil, err
	}
	rows, err = files.timeRenames(b)
	stopping(files.process, &err)
	if err != nil || m == nil {
		return rows, err
	}
	w, err := watchWire(b.ctx, m.Address())
	if err != nil {
		return nil, err
	}
	defer w.close()
	s, err := b.onMongoDB("renames-mongodb", w.address, "renames")
	if err != nil {
		return nil, err
	}
	more, err := (&movers{server: s}).countRenames(b, m, w)
	stopping(s.process, &err)
	return append(rows, more...), err
}

// renamer makes an organization and gives what renames it.
func (v *movers) renamer(ctx context.Context, name string, fill func(token string) error) (func() (time.Duration, error), error) {
	token, err := v.organization(ctx, name)
	if err == nil {
		err = fill(token)
	}
	if err != nil {
		return nil, err
	}
	api, err := v.api(token)
	if err != nil {
		return nil, err
	}
	o, err := api.Organization(ctx, name)
	return func() (time.Duration, error) {
		next := fmt.Sprintf("%s-%s", name, uuid.NewString()[:8])
		began := time.Now()
		_, err := api.UpdateOrganization(ctx, o.ID, client.OrganizationPatch{Name: next})
		return time.Since(began), err
	}, err
}

func (v *movers) timeRenames(b *bench) ([]row, error) {
	large, err := v.renamer(b.ctx, "large", func(token string) error { return v.fill("large", token, manyDocuments) })
	if err != nil {
		return nil, err
	}
	small, err := v.renamer(b.ctx, "small", func(token string) error { return v.fill("small", token, fewDocuments) })
	if err != nil {
		return nil, err
	}
	ratio, took, err := b.compare(renameRounds, func() (float64, error) { return milliseconds(large()) },
		func() (float64, error) { return milliseconds(small()) })
	return []row{{
		Name:  fmt.Sprintf("renaming an organization of %s documents on SQLite, to one of %d", count(manyDocuments), fewDocuments),
		Value: ratio, Unit: "x", AtMost: 2, Figures: fmt.Sprintf("%.1f and %.1f ms", took.ours, took.other),
	}}, err
}

func milliseconds(d time.Duration, err error) (float64, error) { return 1000 * d.Seconds(), err }

func (v *movers) countRenames(b *bench, m *mongotest.Server, w *wire) ([]row, error) {
	var commands [2]float64
	for i, documents := range []int{someDocuments, fewDocuments} {
		name := fmt.Sprintf("of-%d", documents)
		rename, err := v.renamer(b.ctx, name, func(token string) error {
			if err := v.fill(name, token, fewDocuments); err != nil || documents == fewDocuments {
				return err
			}
			return multiplyDocuments(b.ctx, m, "renames_data", strings.ReplaceAll("org_"+name, "-", "_"), documents)
		})
		var costs []float64
		for n := 0; n < mongoRounds && err == nil; n++ {
			w.take()
			_, err = rename()
			costs = append(costs, float64(len(w.take().acts)))
		}
		if err != nil {
			return nil, err
		}
		commands[i] = median(costs)
	}
	return []row{{
		Name:  fmt.Sprintf("commands to MongoDB: rename an organization of %s documents, to one of %d", count(someDocuments), fewDocuments),
		Value: commands[0] / commands[1], Unit: "x", AtMost: 1, Figures: fmt.Sprintf("%.0f and %.0f", commands[0], commands[1]),
	}}, nil
}

// multiplyDocuments makes documents out of one that is there: through the server
// it would take minutes.
func multiplyDocuments(ctx context.Context, m *mongotest.Server, database, collection string, n int) error {
	list := m.Client().Database(database).Collection(collection)
	var template bson.M
	if err := list.FindOne(ctx, bson.D{}).Decode(&template); err != nil {
		return err
	}
	for made := 0; made < n; made += copyBatch {
		copies := make([]bson.M, copyBatch)
		for i := range copies {
			id, err := uuid.NewV7()
			if err != nil {
				return err
			}
			copies[i] = bson.M{}
			for key, value := range template {
				copies[i][key] = value
			}
			copies[i]["_id"], copies[i]["tag"] = id.String(), int64(made+i)
		}
		if _, err := list.InsertMany(ctx, copies); err != nil {
			return err
		}
	}
	return nil
}
