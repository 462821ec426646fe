package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"
)

// copyBatch is how many documents a bare copy reads and inserts at a time.
const copyBatch = 500

// bareRow is a document as a bare copy moves it.
type bareRow struct {
	ID       string `bson:"_id"`
	OrgID    string `bson:"org_id"`
	Type     string `bson:"type"`
	Revision int64  `bson:"revision"`
	Created  int64  `bson:"created_at"`
	Updated  int64  `bson:"updated_at"`
	Checksum int64  `bson:"crc"`
	Data     string `bson:"data"`
}

// bareStore is a table or a collection of documents.
type bareStore interface {
	// scan gives f all there is, by one cursor, a batch at a time.
	scan(ctx context.Context, f func([]bareRow) error) error
	insert(ctx context.Context, rows []bareRow) error
	count(ctx context.Context) (int, error)
	close()
}

// copyBare copies so many documents: reads a batch of a cursor, inserts it, and
// so on. It prints how many a second that were. A place is a folder or a server
// of MongoDB.
func copyBare(ctx context.Context, documents, from, to string) error {
	want, err := strconv.Atoi(documents)
	if err != nil {
		return err
	}
	source, err := openBareStore(ctx, from, "source_"+documents)
	if err != nil {
		return err
	}
	defer source.close()
	n, err := source.count(ctx)
	if err == nil && n == 0 {
		err = fillBare(ctx, source, want)
	}
	if err != nil {
		return err
	}
	target, err := openBareStore(ctx, to, "target_"+bson.NewObjectID().Hex())
	if err != nil {
		return err
	}
	defer target.close()
	begun := time.Now()
	n = 0
	if err := source.scan(ctx, func(rows []bareRow) error {
		n += len(rows)
		return target.insert(ctx, rows)
	}); err != nil {
		return err
	}
	if n != want {
		return fmt.Errorf("%d documents were copied, not %d", n, want)
	}
	_, err = fmt.Fprintln(os.Stdout, float64(n)/time.Since(begun).Seconds())
	return err
}

func fillBare(ctx context.Context, s bareStore, documents int) error {
	organization := uuid.NewString()
	for n := 0; n < documents; n += copyBatch {
		rows := make([]bareRow, copyBatch)
		for i := range rows {
			id, err := uuid.NewV7()
			if err != nil {
				return err
			}
			now := time.Now().UnixMilli()
			rows[i] = bareRow{id.String(), organization, "note", 1, now, now, 0, documentData}
		}
		if err := s.insert(ctx, rows); err != nil {
			return err
		}
	}
	return nil
}

func openBareStore(ctx context.Context, place, name string) (bareStore, error) {
	if strings.HasPrefix(place, "mongodb:") {
		c, err := mongo.Connect(options.Client().ApplyURI(place + "/?directConnection=true").
			SetWriteConcern(&writeconcern.WriteConcern{W: "majority", Journal: new(true)}))
		if err != nil {
			return nil, err
		}
		db := c.Database("bench_copies")
		if !strings.HasPrefix(name, "source") {
			// As durable, and looked at by a validator, as the program's are.
			err = db.CreateCollection(ctx, name, options.CreateCollection().SetValidator(bson.D{{Key: "org_id", Value: bson.D{{Key: "$type", Value: "string"}}}}))
		}
		return bareMongo{c, db.Collection(name)}, err
	}
	if err := os.MkdirAll(place, 0o750); err != nil { //nolint:gosec // our own folder
		return nil, err
	}
	db, c, err := openBare(ctx, filepath.Join(place, name+".db"))
	if err != nil {
		return nil, err
	}
	_, err = c.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS bare(id TEXT PRIMARY KEY,type TEXT,revision INT,created INT,updated INT,crc INT,data TEXT)STRICT;
		CREATE INDEX IF NOT EXISTS by_type ON bare(type,id)`)
	return bareFile{db, c}, err
}

type bareFile struct {
	db *sql.DB
	c  *sql.Conn
}

func (f bareFile) scan(ctx context.Context, give func([]bareRow) error) error {
	rows, err := f.c.QueryContext(ctx, `SELECT id, type, revision, created, updated, crc, data FROM bare ORDER BY id`)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	return inBatches(func(r *bareRow) (bool, error) {
		if !rows.Next() {
			return false, rows.Err()
		}
		return true, rows.Scan(&r.ID, &r.Type, &r.Revision, &r.Created, &r.Updated, &r.Checksum, &r.Data)
	}, give)
}

// inBatches gives what next reads, until it reports that there is no more.
func inBatches(next func(*bareRow) (bool, error), give func([]bareRow) error) error {
	for more := true; more; {
		var list []bareRow
		for more && len(list) < copyBatch {
			var r bareRow
			var err error
			if more, err = next(&r); err != nil {
				return err
			}
			if more {
				list = append(list, r)
			}
		}
		if len(list) > 0 {
			if err := give(list); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f bareFile) insert(ctx context.Context, rows []bareRow) error {
	tx, err := f.c.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	s, err := tx.PrepareContext(ctx, `INSERT INTO bare (id, type, revision, created, updated, crc, data) VALUES (?, ?, ?, ?, ?, ?, ?)`)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	for _, r := range rows {
		if _, err := s.ExecContext(ctx, r.ID, r.Type, r.Revision, r.Created, r.Updated, r.Checksum, r.Data); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func (f bareFile) count(ctx context.Context) (n int, err error) {
	err = f.c.QueryRowContext(ctx, `SELECT count(*) FROM bare`).Scan(&n)
	return n, err
}

func (f bareFile) close() { _ = f.db.Close() }

type bareMongo struct {
	client     *mongo.Client
	collection *mongo.Collection
}

func (m bareMongo) scan(ctx context.Context, give func([]bareRow) error) error {
	c, err := m.collection.Find(ctx, bson.D{}, options.Find().SetSort(bson.D{{Key: "_id", Value: 1}}).SetBatchSize(copyBatch))
	if err != nil {
		return err
	}
	defer func() { _ = c.Close(ctx) }()
	return inBatches(func(r *bareRow) (bool, error) {
		if !c.Next(ctx) {
			return false, c.Err()
		}
		return true, c.Decode(r)
	}, give)
}

func (m bareMongo) insert(ctx context.Context, rows []bareRow) error {
	_, err := m.collection.InsertMany(ctx, rows, options.InsertMany().SetOrdered(false))
	return err
}

func (m bareMongo) count(ctx context.Context) (int, error) {
	n, err := m.collection.CountDocuments(ctx, bson.D{})
	return int(n), err
}

func (m bareMongo) close() { _ = m.client.Disconnect(context.Background()) }
