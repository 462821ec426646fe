package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"tenantry/app/client"
)

const (
	// startAt is with how many organizations start and memory are measured.
	startAt   = 10_000
	starts    = 7
	megabyte  = 1_000_000
	probes    = 600 // organizations created to see what one costs
	manyRound = 2 * time.Second
)

// many is a server with ever more organizations, all of one owner's, who
// shows a token: without a new owner there is no password to be hashed.
type many struct {
	*bench
	*server
	folder   string
	settings []string
	key      string // the operator's, who may read all
	made     atomic.Int64
}

// cost is what one act takes: of the processor where that is known, else of
// the time.
type cost []float64

// measureSize fills a server with organizations and measures at 100, 1,000 and
// so on what another one and reading one costs; at 10,000 also memory and how
// soon a server that starts answers.
func measureSize(b *bench) ([]row, error) {
	info, err := os.Stat(b.program)
	if err != nil {
		return nil, err
	}
	m := &many{bench: b, folder: filepath.Join(b.dir, "size")}
	if err := m.start(); err != nil {
		return nil, err
	}
	rows, err := m.grow()
	if err = errors.Join(err, m.stop()); err != nil {
		return nil, err
	}
	memory, err := measureMemory(b)
	return append(append(rows, memory...), row{Name: "size of the binary", Value: float64(info.Size()) / megabyte, Unit: "MB", AtMost: 45}), err
}

func (m *many) start() (err error) {
	m.server, err = m.serve(m.folder, append([]string{cheapPasswords}, m.settings...)...)
	return err
}

// grow adds organizations step by step.
func (m *many) grow() (rows []row, err error) {
	if _, err := m.organization(m.ctx, "bench"); err != nil {
		return nil, err
	}
	if m.key, err = m.operatorKey(m.ctx); err != nil {
		return nil, err
	}
	var creates, reads, readsAny cost
	var sizes []string
	for n := 100; n <= m.large; n *= 10 {
		if err := m.fill(n); err != nil {
			return nil, fmt.Errorf("make %d organizations: %w", n, err)
		}
		read, err := m.costOf(load{connections: getConnections, duration: manyRound, request: m.read(m.some)})
		if err != nil {
			return nil, err
		}
		readAny, err := m.costOf(load{connections: getConnections, duration: manyRound, request: m.read(m.any)})
		if err != nil {
			return nil, err
		}
		create, err := m.costOfCreating()
		if err != nil {
			return nil, err
		}
		creates, reads, sizes = append(creates, create), append(reads, read), append(sizes, count(float64(n)))
		readsAny = append(readsAny, readAny)
		if n == startAt {
			if rows, err = m.startAndMemory(); err != nil {
				return nil, err
			}
		}
	}
	at := " µs at " + strings.Join(sizes, ", ") + " organizations"
	return append(rows,
		row{Name: "creating one of many, the most to the least", Value: creates.spread(), Unit: "x", AtMost: 2, Figures: creates.String() + at},
		row{Name: "reading one of a thousand among many, the most to the least", Value: reads.spread(), Unit: "x", AtMost: 2, Figures: reads.String() + at},
		row{Name: "reading any of them at random, the most to the least", Value: readsAny.spread(), Unit: "x", Figures: readsAny.String() + at}), nil
}

func (c cost) spread() float64 { return slices.Max(c) / slices.Min(c) }

func (c cost) String() string {
	var words []string
	for _, v := range c {
		words = append(words, fmt.Sprintf("%.0f", v))
	}
	return strings.Join(words, ", ")
}

// fill makes organizations until there are n.
func (m *many) fill(n int) error {
	missing := n - int(m.made.Load())
	if missing <= 0 {
		return nil
	}
	request, err := m.createNext()
	if err != nil {
		return err
	}
	o, err := load{address: m.address, connections: createClients, limit: missing, request: request}.run()
	if err != nil {
		return err
	}
	return o.allGood()
}

// createNext signs the owner in and gives requests for one more organization
// each.
func (m *many) createNext() (func([]byte) []byte, error) {
	token, err := m.signIn(m.ctx, "bench")
	return func(b []byte) []byte {
		return appendPost(b, "/v1/organizations", token, fmt.Appendf(nil, `{"name":"%s"}`, slugOf(m.made.Add(1))))
	}, err
}

func slugOf(n int64) string { return fmt.Sprintf("company-%06d", n) }

// any is one of the organizations.
func (m *many) any() string {
	return slugOf(1 + rand.Int64N(m.made.Load())) //nolint:gosec // no secret
}

// some is one of a thousand of them, fewer than the server keeps in memory.
func (m *many) some() string {
	return slugOf(1 + rand.Int64N(min(1000, m.made.Load()))) //nolint:gosec // no secret
}

func (m *many) read(which func() string) func([]byte) []byte {
	return func(b []byte) []byte { return append(b, get("/v1/organizations/"+which(), m.key)...) }
}

func (m *many) costOfCreating() (float64, error) {
	request, err := m.createNext()
	if err != nil {
		return 0, err
	}
	return m.costOf(load{connections: createClients, limit: probes, request: request})
}

// costOf runs a load and gives the microseconds that one request took.
func (m *many) costOf(l load) (float64, error) {
	l.address = m.address
	before := processTime(m.cmd.Process.Pid)
	o, err := l.run()
	if err == nil {
		err = o.allGood()
	}
	if err != nil {
		return 0, err
	}
	took := processTime(m.cmd.Process.Pid) - before
	if took == 0 {
		took = o.took
	}
	return float64(took.Nanoseconds()) / 1000 / float64(o.good()), nil
}

// startAndMemory writes documents in all of the organizations, to see what
// memory that takes, and then starts anew, several times.
func (m *many) startAndMemory() ([]row, error) {
	token, err := m.signIn(m.ctx, "bench")
	if err != nil {
		return nil, err
	}
	if err := m.write(token, m.any); err != nil {
		return nil, err
	}
	loaded := resident(m.cmd.Process.Pid)
	took, err := m.startAgain(starts)
	if err != nil {
		return nil, err
	}
	rows := []row{{Name: "start to first answer, 10,000 organizations", Value: median(took), Unit: "ms", AtMost: 200,
		Figures: fmt.Sprintf("%.0f to %.0f ms", slices.Min(took), slices.Max(took))}}
	if loaded > 0 {
		rows = append(rows, row{Name: "resident memory with 10,000 organizations in use at once", Value: float64(loaded) / megabyte, Unit: "MB",
			Figures: fmt.Sprintf("made, read and written to; %.0f MB just started", float64(resident(m.cmd.Process.Pid))/megabyte)})
	}
	return rows, nil
}

// startAgain stops and starts the server, and gives how many milliseconds its
// first answer took, each time.
func (m *many) startAgain(times int) (took []float64, err error) {
	for range times {
		if err := m.stop(); err != nil {
			return nil, err
		}
		begun := time.Now()
		if err := m.start(); err != nil {
			return nil, err
		}
		if err := m.firstAnswer(m.ctx); err != nil {
			return nil, err
		}
		took = append(took, millis(time.Since(begun)))
	}
	return took, nil
}

// write creates documents in whichever organization is said.
func (m *many) write(token string, organization func() string) error {
	o, err := load{address: m.address, connections: documentClients, duration: manyRound, request: func(b []byte) []byte {
		return appendPost(b, "/v1/organizations/"+organization()+"/documents", token, newDocument)
	}}.run()
	if err != nil {
		return err
	}
	return o.allGood()
}

// firstAnswer reads an organization.
func (m *many) firstAnswer(ctx context.Context) error {
	c, err := client.New("http://"+m.address, client.Options{Token: m.key})
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.Organization(ctx, slugOf(1))
	return err
}
