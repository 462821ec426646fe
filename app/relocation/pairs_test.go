package relocation_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tenantry/app"
	"tenantry/app/mongodb/mongotest"
	"tenantry/app/tenancy"
)

// pair is a place, and another that an organization is moved to.
type pair struct{ from, to tenancy.RelocateInput }

func (p pair) String() string {
	return fmt.Sprintf("%s %s to %s %s", p.from.Cluster, p.from.Isolation, p.to.Cluster, p.to.Isolation)
}

// pairs are the places that differ, of one cluster and another or the same.
func pairs(from, to string) (list []pair) {
	for _, a := range app.Isolations() {
		for _, b := range app.Isolations() {
			if from != to || a != b {
				list = append(list, pair{tenancy.RelocateInput{Cluster: from, Isolation: a}, tenancy.RelocateInput{Cluster: to, Isolation: b}})
			}
		}
	}
	return list
}

// thereAndBack is the story of a pair: 16 writers write all the time, while the
// organization moves there, back by a revert, and there once more for good.
func (w *town) thereAndBack(p pair) {
	w.t.Helper()
	org, owner := w.settle(strings.ReplaceAll(p.String(), " ", "-"), p.from)
	c := w.crowd(org, owner)
	defer c.stop()
	time.Sleep(200 * time.Millisecond) // so that there is something to move
	op := w.move(org.ID, p.to)
	if op.State != app.OperationRunning || !op.Relocation.Settled {
		w.t.Fatalf("it is %s after %s: %s", op.State, op.Relocation.Phase, op.Error)
	}
	time.Sleep(200 * time.Millisecond) // and something to go back with
	back := w.revert(op.ID)
	if back.State != app.OperationReverted {
		w.t.Fatalf("it is %s: %s", back.State, back.Error)
	}
	w.whole(org.ID)
	again := w.move(org.ID, p.to)
	done := w.complete(again.ID)
	if done.State != app.OperationCompleted {
		w.t.Fatalf("it is %s: %s", done.State, done.Error)
	}
	c.rest()
	w.whole(org.ID)
	longest, acts := c.held()
	w.t.Logf("%d acts; held by the server's count for %v, %v and %v, in %d, %d and %d cutovers; writes held at most %v, bound %v",
		acts, op.Relocation.Held.Round(time.Millisecond), (back.Relocation.Held - op.Relocation.Held).Round(time.Millisecond),
		done.Relocation.Held.Round(time.Millisecond), op.Relocation.Cutovers, back.Relocation.Cutovers-op.Relocation.Cutovers,
		done.Relocation.Cutovers, longest.Round(time.Millisecond), 2*w.terms.PlacementLease+time.Second)
}

// all tells the stories of pairs in one town, some at a time.
func (w *town) all(t *testing.T, list []pair, atOnce int) {
	t.Helper()
	next := make(chan pair)
	var telling sync.WaitGroup
	for range atOnce {
		telling.Go(func() {
			for p := range next {
				t.Run(p.String(), func(t *testing.T) { w.in(t).thereAndBack(p) })
			}
		})
	}
	for _, p := range list {
		next <- p
	}
	close(next)
	telling.Wait()
	w.sound()
}

// every asks for every pair on every kind of server.
func every() bool { return os.Getenv("TENANTRY_TEST_EVERY_PAIR") != "" }

func TestLedgerOnSQLite(t *testing.T) {
	list := append(pairs("a", "a"), pairs("a", "b")...)
	if testing.Short() {
		list = list[:3]
	}
	sqliteTown(t).all(t, list, 4)
}

// Pairs of places within MongoDB, and between it and files. The stand-in does a
// few hundred acts a second, and gets slower the more it is asked for: so the
// ordinary run has two pairs, one after the other.
func TestLedgerOnMongoDB(t *testing.T) {
	if testing.Short() {
		t.Skip("moves organizations for a long time")
	}
	for _, kind := range mongotest.Kinds() {
		if kind == mongotest.Standalone && !every() {
			continue
		}
		t.Run(string(kind), func(t *testing.T) {
			there, back := pairs("a", "m"), pairs("m", "a")
			list := []pair{there[len(there)-1], back[0]}
			if every() || kind == mongotest.Given {
				list = slices.Concat(pairs("m", "m"), there, back, pairs("m", "n"))
			}
			mixedTown(t, mongotest.Start(t, kind)).all(t, list, 1)
		})
	}
}
