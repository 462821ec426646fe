package storagetest

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	"tenantry/app"
)

func counting(s clusterSuite) {
	s.test("Namespaces/ListsEachWhereItIs", func(t *testing.T, k *kingdom) {
		moved, dropped := k.provision("acme"), k.provision("bolt")
		k.locate("carl") // is nowhere yet
		must(t, k.Rename(k.ctx, moved, k.named("org_moved"), 7))
		must(t, k.Drop(k.ctx, dropped))
		moved.Placement.Collection, moved.Placement.Generation = k.named("org_moved"), 7
		want := []app.Namespace{k.neighbour, moved}
		got, err := k.Namespaces(k.ctx)
		must(t, err)
		for _, list := range [][]app.Namespace{got, want} {
			slices.SortFunc(list, func(a, b app.Namespace) int { return cmp.Compare(a.Organization, b.Organization) })
		}
		equal(t, "namespaces", got, want)
	})

	s.test("Usage/CountsWhatIsThere", func(t *testing.T, k *kingdom) {
		before, err := k.Usage(k.ctx)
		must(t, err)
		if before.Engine == "" || before.Version == "" || before.Bytes <= 0 {
			t.Fatalf("the usage says %+v", before)
		}
		equal(t, "the isolation is offered", slices.Contains(before.Isolations, k.isolation), true)
		equal(t, "the neighbour's", [2]int64{before.Namespaces, before.Documents}, [2]int64{1, int64(len(k.documents))})
		acme, bolt := k.provision("acme"), k.provision("bolt")
		k.insert(acme, "a", "note", `{"text":"`+strings.Repeat("x", 100_000)+`"}`)
		k.insert(acme, "b", "note", `{}`)
		k.insert(bolt, "a", "note", `{}`)
		must(t, k.DeleteDocument(k.ctx, acme, "b", app.AnyRevision))
		got, err := k.Usage(k.ctx)
		must(t, err)
		equal(t, "all", [2]int64{got.Namespaces, got.Documents}, [2]int64{3, int64(len(k.documents)) + 2})
		if got.Bytes < before.Bytes {
			t.Errorf("%d bytes, and %d with less in it", got.Bytes, before.Bytes)
		}
		must(t, k.Drop(k.ctx, acme))
		got, err = k.Usage(k.ctx)
		must(t, err)
		equal(t, "all", [2]int64{got.Namespaces, got.Documents}, [2]int64{2, int64(len(k.documents)) + 1})
	})

	s.test("Room/SaysHowMuchIsFree", func(t *testing.T, k *kingdom) {
		room, err := k.Room(k.ctx)
		must(t, err)
		if room.Known != (room.Free > 0) {
			t.Errorf("the room is %+v", room)
		}
	})
}
