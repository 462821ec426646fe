package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"
)

const (
	documentClients = 64
	documentRounds  = 5
)

var (
	documentData = `{"text":"` + strings.Repeat("x", 480) + `"}`
	newDocument  = []byte(`{"type":"note","data":` + documentData + `}`)
)

// measureDocuments compares durable creates of documents by many clients,
// which the server commits as groups, to those by one client, where each has a
// commit of its own: on the same server and the same file, in turn. Beside it
// stands a bare loop that inserts such rows, one commit each, and does nothing
// else, in a file of its own: in the server's they would count as damage.
func measureDocuments(b *bench) (rows []row, err error) {
	folder := filepath.Join(b.dir, "documents")
	s, err := b.serve(folder, cheapPasswords)
	if err != nil {
		return nil, err
	}
	defer stopping(s.process, &err)
	if _, err := s.organization(b.ctx, "bench"); err != nil {
		return nil, err
	}
	token, err := s.signIn(b.ctx, "bench")
	if err != nil {
		return nil, err
	}
	post := appendPost(nil, "/v1/organizations/bench/documents", token, newDocument)
	creates := func(clients int) func() (float64, error) {
		return func() (float64, error) {
			o, err := load{address: s.address, connections: clients, request: same(post), duration: bareRound}.run()
			if err != nil {
				return 0, err
			}
			return o.rate(), o.allGood()
		}
	}
	if _, err := creates(documentClients)(); err != nil { // opens the shard, which is then checked once
		return nil, err
	}
	ratio, rate, err := b.compare(documentRounds, creates(documentClients), creates(1))
	if err != nil {
		return nil, err
	}
	file := filepath.Join(folder, "bare.db")
	bare, bareRate, err := b.compare(documentRounds, creates(documentClients),
		func() (float64, error) { return b.runChild("commits", file) })
	if err != nil {
		return nil, err
	}
	return []row{{
		Name: "durable document creates, 64 clients, to one commit each", Value: ratio, Unit: "x", AtLeast: 5,
		Figures: fmt.Sprintf("%s/s, one commit each %s/s", count(rate.ours), count(rate.other)),
	}, {
		Name: "the same, to a bare loop that commits each, without a server", Value: bare, Unit: "x",
		Figures: fmt.Sprintf("%s/s, bare %s/s", count(bareRate.ours), count(bareRate.other)),
	}}, nil
}

// commitEach inserts documents, each with a commit of its own.
func commitEach(ctx context.Context, file string) error {
	db, c, err := openBare(ctx, file)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	if _, err := c.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS bare(id TEXT PRIMARY KEY,type TEXT,revision INT,created INT,updated INT,crc INT,data TEXT)STRICT`); err != nil {
		return err
	}
	insert, err := c.PrepareContext(ctx, `INSERT INTO bare (id, type, revision, created, updated, crc, data) VALUES (?, ?, ?, ?, ?, ?, ?)`)
	if err != nil {
		return err
	}
	defer func() { _ = insert.Close() }()
	return repeat(func() error {
		id, err := uuid.NewV7()
		if err != nil {
			return err
		}
		now := time.Now().UnixMilli()
		_, err = insert.ExecContext(ctx, id.String(), "note", 1, now, now, 0, documentData)
		return err
	})
}
