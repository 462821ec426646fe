package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"
)

const (
	loginClients = 64
	loginRounds  = 4
	loginPatient = 5 * time.Second
	aloneRound   = 3 * time.Second
	stormRound   = 8 * time.Second
	// stormRises is how long the storm blows before reading begins.
	stormRises = 2 * time.Second
)

// measureLogins reads an organization alone and while others sign in without
// pause, in turn.
func measureLogins(b *bench) (rows []row, err error) {
	s, err := b.serve(filepath.Join(b.dir, "logins"))
	if err != nil {
		return nil, err
	}
	defer stopping(s.process, &err)
	token, err := s.organization(b.ctx, "bench")
	if err != nil {
		return nil, err
	}
	reads := load{address: s.address, connections: getConnections, request: same(get("/v1/organizations/bench", token))}
	storm := load{address: s.address, connections: loginClients, duration: stormRound,
		request: same(signInRequest("bench"))}

	total := newOutcome()
	rounds, err := calmest(b, loginRounds, func() (loginRound, error) {
		r, logins, err := oneStorm(reads, storm)
		if err == nil {
			total.add(logins)
		}
		return r, err
	})
	if err != nil {
		return nil, err
	}
	of := func(value func(loginRound) float64) float64 { return medianOf(rounds, value) }
	return []row{
		{Name: "the same GET/s while 64 clients sign in (bcrypt 12), to alone", Unit: "x", AtLeast: 0.7,
			Value: of(func(r loginRound) float64 { return r.among.rate() / r.alone.rate() }),
			Figures: fmt.Sprintf("%s/s, alone %s/s", count(of(func(r loginRound) float64 { return r.among.rate() })),
				count(of(func(r loginRound) float64 { return r.alone.rate() })))},
		{Name: "its p99, to alone", Unit: "x", AtMost: 3,
			Value: of(func(r loginRound) float64 { return tail(r.among) / tail(r.alone) }),
			Figures: fmt.Sprintf("%.2f ms, alone %.2f ms", of(func(r loginRound) float64 { return tail(r.among) }),
				of(func(r loginRound) float64 { return tail(r.alone) }))},
		{Name: "slowest answer to a sign-in", Value: millis(slices.Max(total.latencies)), Unit: "ms", AtMost: millis(loginPatient),
			Figures: fmt.Sprintf("%.1f/s signed in, %.1f/s refused", total.rate(),
				float64(len(total.latencies)-total.good())/total.took.Seconds())},
		{Name: "sign-ins neither answered nor refused with Retry-After", Value: float64(total.unexcused), Unit: "", AtMost: 0,
			Zero: true, Figures: "of " + count(float64(len(total.latencies)))},
	}, nil
}

// loginRound is reading alone and among sign-ins.
type loginRound struct{ alone, among *outcome }

// tail is the 99th percentile in milliseconds.
func tail(o *outcome) float64 { return millis(o.percentile(99)) }

func oneStorm(reads, storm load) (r loginRound, logins *outcome, err error) {
	reads.duration = aloneRound
	if r.alone, err = reads.run(); err == nil {
		err = r.alone.allGood()
	}
	if err != nil {
		return r, nil, err
	}
	reads.duration = stormRound - stormRises - time.Second
	r.among, logins, err = during(storm, reads)
	return r, logins, err
}

// during runs the reads in the middle of a storm of sign-ins.
func during(storm, reads load) (read, logins *outcome, err error) {
	type result struct {
		*outcome
		error
	}
	blown := make(chan result, 1)
	go func() {
		o, err := storm.run()
		blown <- result{o, err}
	}()
	time.Sleep(stormRises)
	read, err = reads.run()
	if err == nil {
		err = read.allGood()
	}
	r := <-blown
	return read, r.outcome, errors.Join(err, r.error)
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
