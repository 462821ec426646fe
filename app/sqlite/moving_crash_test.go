package sqlite

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"tenantry/app"
)

// The child of TestMovesSurviveKill moves organizations while it writes to
// them, until it is killed, and says on its output what it begins and what was
// acknowledged.
const movingCrashDirectory = "TENANTRY_TEST_MOVING_CRASH_DIR"

const crashMovers = 12

func TestMovingCrashChild(t *testing.T) {
	dir := os.Getenv(movingCrashDirectory)
	if dir == "" {
		t.Skip("only as the child of TestMovesSurviveKill")
	}
	m := crashMover{t: t, c: openTestCluster(t, dir, ClusterOptions{Shards: 2, OpenFiles: 3}), ctx: context.Background()}
	var wait sync.WaitGroup
	for n := range crashMovers {
		wait.Go(func() {
			for i := 0; ; i++ {
				from := isolations[n%len(isolations)]
				to := isolations[(n+1+i%2)%len(isolations)]
				if err := m.moveOne(from, to, fmt.Sprintf("org-%d-%d", n, i)); err != nil {
					m.say("FAILED %v", err)
					return
				}
			}
		})
	}
	wait.Wait()
}

type crashMover struct {
	t   *testing.T
	c   *Cluster
	ctx context.Context
	out sync.Mutex
}

func (m *crashMover) say(format string, args ...any) {
	m.out.Lock()
	defer m.out.Unlock()
	fmt.Printf(format+"\n", args...)
}

// did says what was acknowledged.
func (m *crashMover) did(err error, format string, args ...any) error {
	if err == nil {
		m.say("ACK "+format, args...)
	}
	return err
}

func (m *crashMover) moveOne(from, to app.Isolation, slug string) error {
	slug += "-" + strings.ReplaceAll(string(app.NewID[app.OrganizationID]()), "-", "")
	source := locatedIn(m.t, m.c, from, slug)
	if err := m.did(m.c.Provision(m.ctx, source), "provision %s %s %s %s", source.Organization, slug, from, to); err != nil {
		return err
	}
	target, err := m.target(source, to, slug)
	if err != nil {
		return err
	}
	for _, step := range []func() error{
		func() error { return m.writeSome(source, "early") },
		func() error { return m.c.Receive(m.ctx, ofGeneration(target, 2)) },
		func() error { return m.c.SetPhase(m.ctx, ofGeneration(source, 2), app.PhaseRecording) },
		func() error { return m.writeSome(source, "recorded") },
		func() error { return copyAll(m.ctx, m.c, ofGeneration(source, 2), ofGeneration(target, 2)) },
		func() error { return m.writeSome(source, "later") },
		func() error { return catchUp(m.ctx, m.c, ofGeneration(source, 2), ofGeneration(target, 2)) },
		func() error { return m.writeSome(source, "last") },
		func() error { return m.c.SetPhase(m.ctx, ofGeneration(source, 2), app.PhaseFrozen) },
		func() error { return catchUp(m.ctx, m.c, ofGeneration(source, 2), ofGeneration(target, 2)) },
		func() error { return m.c.SetPhase(m.ctx, ofGeneration(source, 3), app.PhaseClosed) },
		func() error { return m.c.SetPhase(m.ctx, ofGeneration(target, 3), app.PhaseRecording) },
		func() error { return m.writeSome(target, "there") },
		func() error { return m.c.SetPhase(m.ctx, ofGeneration(target, 3), app.PhaseOpen) },
		func() error { return m.c.Drop(m.ctx, ofGeneration(source, 3)) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	m.say("ACK moved %s", source.Organization)
	return nil
}

func (m *crashMover) target(source app.Namespace, to app.Isolation, slug string) (app.Namespace, error) {
	p, err := m.c.Locate(source.Organization, slug, to)
	return app.Namespace{Organization: source.Organization, Placement: p}, err
}

// writeSome inserts two documents and removes one of them.
func (m *crashMover) writeSome(ns app.Namespace, prefix string) error {
	kept, gone := app.DocumentID(prefix+"-kept"), app.DocumentID(prefix+"-gone")
	if err := m.did(m.c.InsertDocument(m.ctx, ns, testDocument(kept)), "insert %s %s", ns.Organization, kept); err != nil {
		return err
	}
	if err := m.c.InsertDocument(m.ctx, ns, testDocument(gone)); err != nil {
		return err
	}
	return m.did(m.c.DeleteDocument(m.ctx, ns, gone, app.AnyRevision), "delete %s %s", ns.Organization, gone)
}

func ofGeneration(ns app.Namespace, generation int64) app.Namespace {
	ns.Placement.Generation = generation
	return ns
}

func copyAll(ctx context.Context, c *Cluster, source, target app.Namespace) error {
	list, err := c.Scan(ctx, source, app.DocumentQuery{Limit: 1000})
	if err != nil {
		return err
	}
	return c.Import(ctx, target, list, nil)
}

func catchUp(ctx context.Context, c *Cluster, source, target app.Namespace) error {
	for {
		list, err := c.Changes(ctx, source, 3, 0)
		if err != nil || len(list) == 0 {
			return err
		}
		var documents []app.Document
		var gone []app.DocumentID
		for _, change := range list {
			if change.Document == nil {
				gone = append(gone, change.ID)
			} else {
				documents = append(documents, *change.Document)
			}
		}
		if err := c.Import(ctx, target, documents, gone); err != nil {
			return err
		}
		if err := c.Settle(ctx, source, list); err != nil {
			return err
		}
	}
}

// crashedMove is what a child has acknowledged of one organization.
type crashedMove struct {
	slug     string
	from, to app.Isolation
	there    map[app.DocumentID]bool
	gone     map[app.DocumentID]bool
	moved    bool
}

// A server that is killed anywhere in a move leaves everything as it was said
// to be, and another one takes the move over and ends it.
func TestMovesSurviveKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	moves := map[app.OrganizationID]*crashedMove{}
	taken := map[string]int{}
	rounds := 5
	if testing.Short() {
		rounds = 2
	}
	for round := range rounds { // each on what the one before left behind
		child := exec.Command(os.Args[0], "-test.run", "^TestMovingCrashChild$", "-test.v")
		child.Env = append(os.Environ(), movingCrashDirectory+"="+dir)
		stdout, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		kill := time.AfterFunc(time.Minute, func() { _ = child.Process.Kill() }) // whatever happens
		acknowledged, enough := 0, 300+97*round
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			if strings.HasPrefix(lines.Text(), "FAILED") {
				t.Error(lines.Text())
			}
			if f := strings.Fields(lines.Text()); len(f) > 2 && f[0] == "ACK" {
				note(moves, f)
				if acknowledged++; acknowledged == enough {
					_ = child.Process.Kill()
				}
			}
		}
		_ = child.Wait() // killed
		kill.Stop()
		takeOver(t, dir, moves, taken)
		tablesMatchNamespaces(t, dir)
		if t.Failed() {
			return
		}
	}
	t.Logf("taken over: %v", taken)
	if len(moves) < 20 || len(taken) < 3 {
		t.Errorf("the children did too little to prove anything: %d moves, taken over %v", len(moves), taken)
	}
}

func note(moves map[app.OrganizationID]*crashedMove, f []string) {
	org := app.OrganizationID(f[2])
	switch f[1] {
	case "provision":
		moves[org] = &crashedMove{slug: f[3], from: app.Isolation(f[4]), to: app.Isolation(f[5]),
			there: map[app.DocumentID]bool{}, gone: map[app.DocumentID]bool{}}
	case "insert":
		moves[org].there[app.DocumentID(f[3])] = true
	case "delete":
		moves[org].gone[app.DocumentID(f[3])] = true
	case "moved":
		moves[org].moved = true
	}
}

// takeOver ends every move that was begun, as another server does, and checks
// what was acknowledged.
func takeOver(t *testing.T, dir string, moves map[app.OrganizationID]*crashedMove, taken map[string]int) {
	t.Helper()
	ctx := context.Background()
	c := openTestCluster(t, dir, ClusterOptions{Shards: 2, OpenFiles: 3})
	defer closeTestCluster(t, c)
	for org, move := range moves {
		source, target := app.Namespace{Organization: org}, app.Namespace{Organization: org}
		var err error
		if source.Placement, err = c.Locate(org, move.slug, move.from); err != nil {
			t.Fatal(err)
		}
		if target.Placement, err = c.Locate(org, move.slug, move.to); err != nil {
			t.Fatal(err)
		}
		begun, err := endMove(ctx, c, source, target)
		if err != nil {
			t.Errorf("%s, from %s to %s: %s: %v", org, move.from, move.to, begun, err)
			continue
		}
		if move.moved && begun != "ended" {
			t.Errorf("%s was moved and is %s", org, begun)
		}
		taken[begun]++
		have := map[app.DocumentID]bool{}
		list, err := c.ListDocuments(ctx, target, app.DocumentQuery{Limit: 1000})
		if err != nil {
			t.Errorf("%s: %v", org, err)
		}
		for _, d := range list {
			have[d.ID] = true
		}
		for id := range move.there {
			if !have[id] {
				t.Errorf("%s, from %s to %s, %s: %s was acknowledged and is gone", org, move.from, move.to, begun, id)
			}
		}
		for id := range move.gone {
			if have[id] {
				t.Errorf("%s, from %s to %s, %s: %s was removed and is there", org, move.from, move.to, begun, id)
			}
		}
		move.moved = true
	}
	known := map[app.OrganizationID]int{}
	list, err := c.Namespaces(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, ns := range list {
		if known[ns.Organization]++; known[ns.Organization] > 1 {
			t.Errorf("%s is in two places", ns.Organization)
		}
	}
}

// endMove ends a move from wherever it is, and says where that was.
func endMove(ctx context.Context, c *Cluster, source, target app.Namespace) (begun string, err error) {
	const generation = 9
	phase, of, err := c.Phase(ctx, source)
	if errors.Is(err, app.ErrNotFound) {
		return "ended", c.Drop(ctx, ofGeneration(source, generation)) // its last step may not have been
	}
	if err != nil {
		return "unknown", err
	}
	if of > generation {
		return "unknown", fmt.Errorf("the generation is %d", of)
	}
	source, target = ofGeneration(source, generation), ofGeneration(target, generation)
	begun = string(phase)
	if phase != app.PhaseClosed {
		if err := c.Receive(ctx, target); err != nil {
			return begun, err
		}
		if err := c.SetPhase(ctx, source, app.PhaseRecording); err != nil {
			return begun, err
		}
		if err := copyAll(ctx, c, source, target); err != nil {
			return begun, err
		}
		if err := c.SetPhase(ctx, source, app.PhaseFrozen); err != nil {
			return begun, err
		}
		if err := catchUp(ctx, c, source, target); err != nil {
			return begun, err
		}
		if err := equalScans(ctx, c, source, target); err != nil {
			return begun, err
		}
		if err := c.SetPhase(ctx, source, app.PhaseClosed); err != nil {
			return begun, err
		}
	}
	if err := c.SetPhase(ctx, target, app.PhaseOpen); err != nil {
		return begun, err
	}
	return begun, c.Drop(ctx, source)
}

func equalScans(ctx context.Context, c *Cluster, a, b app.Namespace) error {
	all := app.DocumentQuery{Limit: 1000}
	first, err := c.Scan(ctx, a, all)
	if err != nil {
		return err
	}
	second, err := c.Scan(ctx, b, all)
	if err != nil {
		return err
	}
	if fmt.Sprint(first) != fmt.Sprint(second) {
		return fmt.Errorf("the source has %d documents, the target %d, or they differ", len(first), len(second))
	}
	return nil
}
