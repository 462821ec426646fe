package main

import (
	"fmt"
	"path/filepath"
	"time"
)

const (
	getConnections = 32
	getRounds      = 9
	getRound       = time.Second
)

// measureGet compares reading an organization, with a token, to the least that
// the framework can do.
func measureGet(b *bench) (rows []row, err error) {
	hello, err := b.listening(b.child("hello"))
	if err != nil {
		return nil, err
	}
	defer stopping(hello, &err)
	s, err := b.serve(filepath.Join(b.dir, "get"), cheapPasswords)
	if err != nil {
		return nil, err
	}
	defer stopping(s.process, &err)
	token, err := s.organization(b.ctx, "bench")
	if err != nil {
		return nil, err
	}
	ours := newSide(s.process, get("/v1/organizations/bench", token))
	other := newSide(hello, get("/", ""))
	ratio, rate, err := b.compare(getRounds, ours.round, other.round)
	if err != nil {
		return nil, err
	}
	return []row{{
		Name: "GET /v1/organizations/{slug} with a token, to Fiber's hello", Value: ratio, Unit: "x",
		AtLeast: 0.40, Stretch: 0.55,
		Figures: fmt.Sprintf("%s, hello %s for a second of the core; %s/s, hello %s/s as the client saw it",
			count(rate.ours), count(rate.other), count(median(ours.rates)), count(median(other.rates))),
	}}, nil
}

// side is one of the two servers compared, each asked for one thing.
type side struct {
	server  *process
	request []byte
	rates   []float64 // answers per second
}

func newSide(server *process, request []byte) *side { return &side{server: server, request: request} }

// round gives the answers for a second of the server's core: what a server
// makes that is never kept waiting, by its client or by other programs. Where
// that is not known it is answers per second.
func (s *side) round() (float64, error) {
	before := processTime(s.server.cmd.Process.Pid)
	o, err := load{address: s.server.address, connections: getConnections, request: same(s.request), duration: getRound}.run()
	if err == nil {
		err = o.allGood()
	}
	if err != nil {
		return 0, err
	}
	s.rates = append(s.rates, o.rate())
	if took := processTime(s.server.cmd.Process.Pid) - before; took > 0 {
		return float64(o.good()) / took.Seconds(), nil
	}
	return o.rate(), nil
}
