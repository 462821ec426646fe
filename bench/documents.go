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

// measureDocuments compares durable creates of documents through the server,
// which commits what waits as a group, to one commit for each in a loop that
// does nothing else: the same rows in a file of its own in the same folder, in
// turn. In the server's own file they would rightly count as damage.
func measureDocuments(b *bench) ([]row, error) {
	folder := filepath.Join(b.dir, "documents")
	file := filepath.Join(folder, "bare.db")
	made := false
	ours := func() (rate float64, err error) {
		s, err := b.serve(folder, cheapPasswords)
		if err != nil {
			return 0, err
		}
		defer stopping(s.process, &err)
		if !made {
			if _, err := s.organization(b.ctx, "bench"); err != nil {
				return 0, err
			}
			made = true
		}
		token, err := s.signIn(b.ctx, "bench")
		if err != nil {
			return 0, err
		}
		post := appendPost(nil, "/v1/organizations/bench/documents", token, newDocument)
		o, err := load{address: s.address, connections: documentClients, request: same(post), duration: bareRound}.run()
		if err != nil {
			return 0, err
		}
		return o.rate(), o.allGood()
	}
	if _, err := ours(); err != nil { // makes the folder
		return nil, err
	}
	ratio, rate, err := b.compare(documentRounds, ours,
		func() (float64, error) { return b.runChild("commits", file) })
	if err != nil {
		return nil, err
	}
	return []row{{
		Name: "durable document creates, 64 clients, to one commit each", Value: ratio, Unit: "x", AtLeast: 5,
		Figures: fmt.Sprintf("%s/s, one commit each %s/s", count(rate.ours), count(rate.other)),
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
