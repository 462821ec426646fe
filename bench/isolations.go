package main

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

const (
	isolationRound   = time.Second
	isolationClients = 16
	isolationProbes  = 200 // organizations created to see what one costs
	isolationInserts = 500 // documents, likewise
	// inUse is of how many organizations those are that are used again and again.
	inUse = 100
	// isolationStarts is how often a server is started to see how long it takes.
	isolationStarts = 3
)

// measureIsolations fills a server with organizations of each isolation, each
// with a document, and measures at 10, 1,000 and 10,000 what acts on them cost
// of the processor, and what they take of memory and disk.
func measureIsolations(b *bench) (rows []row, err error) {
	for _, isolation := range []string{"collection", "shared", "database"} {
		found, err := measureIsolation(b, isolation)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", isolation, err)
		}
		rows = append(rows, found...)
	}
	return rows, nil
}

// inIsolation is what was found at one number of organizations.
type inIsolation struct {
	create, get, getAny, list, insert float64 // microseconds
	start                             float64 // milliseconds
	memory, disk                      float64 // megabytes
}

func measureIsolation(b *bench, isolation string) (_ []row, err error) {
	m := &inOne{many: &many{bench: b, folder: filepath.Join(b.dir, "isolation-"+isolation), settings: []string{"PLACEMENT_ISOLATION=" + isolation}}}
	if err := m.start(); err != nil {
		return nil, err
	}
	defer func() { stopping(m.process, &err) }()
	if _, err := m.organization(m.ctx, "bench"); err != nil {
		return nil, err
	}
	if m.key, err = m.operatorKey(m.ctx); err != nil {
		return nil, err
	}
	var all []inIsolation
	var sizes []string
	for _, n := range []int{10, 1000, 10_000, 100_000} {
		if n > b.inIsolations {
			break
		}
		if err := m.fillWithDocuments(n); err != nil {
			return nil, fmt.Errorf("make %d organizations: %w", n, err)
		}
		found, err := m.measure()
		if err != nil {
			return nil, err
		}
		all, sizes = append(all, found), append(sizes, count(float64(n)))
		// With many it takes long.
		fmt.Fprintf(os.Stderr, "isolations: %s, %s organizations: create %.0f, get %.0f, list %.0f, insert %.0f, get any %.0f µs; start %.0f ms, %.0f MB of memory, %.1f MB of files\n",
			isolation, count(float64(n)), found.create, found.get, found.list, found.insert, found.getAny, found.start, found.memory, found.disk)
	}
	return isolationRows(isolation, all, " at "+strings.Join(sizes, ", ")), nil
}

func isolationRows(isolation string, all []inIsolation, at string) []row {
	column := func(value func(inIsolation) float64) (c cost) {
		for _, found := range all {
			c = append(c, value(found))
		}
		return c
	}
	var rows []row
	for _, act := range []struct {
		name   string
		atMost float64
		value  func(inIsolation) float64
	}{
		{"creating one", 2, func(f inIsolation) float64 { return f.create }},
		{"a document's get, of 100 organizations in use", 2, func(f inIsolation) float64 { return f.get }},
		{"a list of documents, of as many", 2, func(f inIsolation) float64 { return f.list }},
		{"a document's insert, in as many", 2, func(f inIsolation) float64 { return f.insert }},
		{"a document's get, of any at random", 0, func(f inIsolation) float64 { return f.getAny }},
	} {
		c := column(act.value)
		rows = append(rows, row{Name: isolation + ": " + act.name + ", at the most of them to the least from 1,000", Value: c.growth(), Unit: "x",
			AtMost: act.atMost, Figures: c.String() + " µs" + at})
	}
	last := all[len(all)-1]
	return append(rows,
		row{Name: isolation + ": start to first answer", Value: last.start, Unit: "ms",
			Figures: column(func(f inIsolation) float64 { return f.start }).String() + " ms" + at},
		row{Name: isolation + ": resident memory", Value: last.memory, Unit: "MB",
			Figures: column(func(f inIsolation) float64 { return f.memory }).String() + " MB" + at},
		row{Name: isolation + ": files", Value: last.disk, Unit: "MB",
			Figures: column(func(f inIsolation) float64 { return f.disk }).String() + " MB" + at})
}

// growth is what the last cost, to the least that one did. The first does not
// count where there are more: among ten organizations there are not yet as many
// in use as later, and those made next make the files that all others find.
func (c cost) growth() float64 { return c[len(c)-1] / slices.Min(c[min(1, len(c)-1):]) }

// inOne is a server whose organizations are of one isolation. The first ones,
// up to written, have a document.
type inOne struct {
	*many
	written int64
}

// fillWithDocuments makes organizations until there are n, each with a document.
func (m *inOne) fillWithDocuments(n int) error {
	if err := m.fill(n); err != nil {
		return err
	}
	token, err := m.signIn(m.ctx, "bench")
	if err != nil {
		return err
	}
	var next atomic.Int64
	next.Store(m.written)
	o, err := load{address: m.address, connections: isolationClients, limit: int(m.made.Load() - m.written), request: func(b []byte) []byte {
		return appendPost(b, documentsOf(slugOf(next.Add(1))), token, []byte(`{"id":"first","type":"note","data":{"text":"the first one"}}`))
	}}.run()
	if err != nil {
		return err
	}
	m.written = m.made.Load()
	return o.allGood()
}

func documentsOf(slug string) string { return "/v1/organizations/" + slug + "/documents" }

// oneOf is one of so many organizations that have a document.
func oneOf(n int64) string {
	return slugOf(1 + rand.Int64N(n)) //nolint:gosec // no secret
}

// measure measures what there is now, and ends with a server just started.
func (m *inOne) measure() (found inIsolation, err error) {
	token, err := m.signIn(m.ctx, "bench")
	if err != nil {
		return found, err
	}
	create, err := m.createNext()
	if err != nil {
		return found, err
	}
	reading := func(path string, among int64) load {
		return load{connections: isolationClients, duration: isolationRound, request: func(b []byte) []byte {
			return append(b, get(documentsOf(oneOf(among))+path, token)...)
		}}
	}
	used := min(inUse, m.written/2)
	// Few, so that the size of files stays that of the organizations; and into
	// others than those that are listed.
	inserting := load{connections: isolationClients, limit: isolationInserts, request: func(b []byte) []byte {
		return appendPost(b, documentsOf(slugOf(used+1+rand.Int64N(used))), token, newDocument) //nolint:gosec // no secret
	}}
	warmUp := 0.0 // after reads of all, what is used again and again has to be opened again
	for _, act := range []struct {
		into *float64
		load load
	}{
		{&found.getAny, reading("/first", m.written)},
		{&warmUp, reading("/first", used)},
		{&found.get, reading("/first", used)},
		{&found.list, reading("?type=note&limit=20", used)},
		{&found.insert, inserting},
	} {
		if *act.into, err = m.costOf(act.load); err != nil {
			return found, err
		}
	}
	found.memory = float64(resident(m.cmd.Process.Pid)) / megabyte
	if found.create, err = m.costOf(load{connections: createClients, limit: isolationProbes, request: create}); err != nil {
		return found, err
	}
	if err := m.stop(); err != nil {
		return found, err
	}
	// Without what running servers keep beside their files for a while.
	if found.disk, err = folderSize(filepath.Join(m.folder, "clusters")); err != nil {
		return found, err
	}
	if err := m.start(); err != nil {
		return found, err
	}
	took, err := m.startAgain(isolationStarts)
	found.start = median(took)
	return found, err
}

// folderSize is how many megabytes the files in a folder take.
func folderSize(dir string) (sum float64, err error) {
	err = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil {
			sum += float64(info.Size()) / megabyte
		}
		return err
	})
	return sum, err
}
