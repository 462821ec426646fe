package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
)

const (
	createClients = 32
	createRounds  = 5
)

// measureCreate compares creating organizations through the server to bare
// inserts of the same rows.
func measureCreate(b *bench) (rows []row, err error) {
	folder := filepath.Join(b.dir, "create")
	s, err := b.serve(folder, cheapPasswords)
	if err != nil {
		return nil, err
	}
	defer stopping(s.process, &err)
	request := newOrganizations("bench")
	if _, err := s.organization(b.ctx, templateName); err != nil {
		return nil, err
	}
	bare := filepath.Join(b.dir, "bare")
	if err := copyTemplate(b.ctx, folder, bare); err != nil {
		return nil, fmt.Errorf("copy what an organization leaves behind: %w", err)
	}
	ours := func() (float64, error) {
		o, err := load{address: s.address, connections: createClients, request: request, duration: bareRound}.run()
		if err != nil {
			return 0, err
		}
		// On a busy machine, hashing at the lowest priority can fall behind.
		return o.rate(), o.goodOrRefused()
	}
	ratio, rate, err := b.compare(createRounds, ours,
		func() (float64, error) { return b.runChild("inserts", bare) })
	if err != nil {
		return nil, err
	}
	return []row{{
		Name: "organizations created (bcrypt 4), to bare inserts of the rows", Value: ratio, Unit: "x", AtLeast: 0.5,
		Figures: fmt.Sprintf("%s/s, bare %s/s", count(rate.ours), count(rate.other)),
	}}, nil
}

// newOrganizations makes requests for organizations with an owner, each
// another one.
func newOrganizations(prefix string) func([]byte) []byte {
	var next atomic.Int64
	return func(b []byte) []byte {
		name := fmt.Sprintf("%s %06d", prefix, next.Add(1))
		email := strings.ReplaceAll(name, " ", ".") + "@example.com"
		return appendPost(b, "/v1/organizations", "",
			fmt.Appendf(nil, `{"name":"%s","owner":{"email":"%s","password":"%s"}}`, name, email, password))
	}
}
