package storagetest

import (
	"context"
	"slices"
	"testing"

	"tenantry/app"
)

func movingEntries(t *testing.T, place func(t *testing.T) RegistryPlace) {
	ctx := context.Background()
	inhabited := func(t *testing.T) (*Inhabited, app.MovableRegistry) {
		p := place(t)
		r := p.serve(t)
		i := Inhabit(t, r)
		must(t, r.Close())
		m, _ := p.move(t)
		return i, m
	}
	receive := func(t *testing.T, m app.MovableRegistry, all map[app.RegistryNoun][]app.RegistryEntry, size int) {
		t.Helper()
		for _, noun := range app.RegistryNouns() {
			page := app.RegistryPage{}
			for rest := all[noun]; ; page = (app.RegistryPage{After: page.Through}) {
				if len(rest) <= size {
					page.Entries = rest
				} else {
					page.Entries, page.Through = rest[:size], rest[size-1].Key
				}
				rest = rest[len(page.Entries):]
				must(t, m.ImportEntries(ctx, noun, page))
				if page.Last() {
					break
				}
			}
		}
	}

	t.Run("ExportEntries/OfEveryNounInPagesOfAnySize", func(t *testing.T) {
		t.Parallel()
		_, m := inhabited(t)
		want := AllEntries(t, m, 1000)
		for _, noun := range app.RegistryNouns() {
			if len(want[noun]) == 0 {
				t.Errorf("there are no %s: the test tests nothing", noun)
			}
		}
		for _, size := range []int{1, 2, 3} {
			sameEntries(t, AllEntries(t, m, size), want)
		}
	})

	t.Run("ExportEntries/UnknownNounIsInvalid", func(t *testing.T) {
		t.Parallel()
		m, _ := place(t).move(t)
		_, err := m.ExportEntries(ctx, "things", "", 1)
		is(t, err, app.ErrInvalid)
		is(t, m.ImportEntries(ctx, "things", app.RegistryPage{}), app.ErrInvalid)
	})

	t.Run("ImportEntries/MakesTheSameRegistry", func(t *testing.T) {
		t.Parallel()
		i, from := inhabited(t)
		all := AllEntries(t, from, 1000)
		p := place(t)
		m, closed := p.move(t)
		receive(t, m, all, 2)
		receive(t, m, all, 3) // doing it twice is doing it once
		sameEntries(t, AllEntries(t, m, 1000), all)
		closed()
		r := p.serve(t)
		i.Check(t, r)
		must(t, r.Close())
	})

	t.Run("ImportEntries/RemovesWhatThePageHasNot", func(t *testing.T) {
		t.Parallel()
		_, m := inhabited(t)
		all := AllEntries(t, m, 1000)
		nouns := app.RegistryNouns()
		slices.Reverse(nouns) // a session counts while its user is there
		for _, noun := range nouns {
			list := all[noun]
			if len(list) < 2 {
				continue
			}
			middle := len(list) / 2
			// All but the first one in its range, and nothing behind it.
			must(t, m.ImportEntries(ctx, noun, app.RegistryPage{Through: list[middle].Key, Entries: list[1 : middle+1]}))
			all[noun] = list[1:]
			equal(t, "entries", words(AllEntries(t, m, 1000)[noun]), words(all[noun]))
			must(t, m.ImportEntries(ctx, noun, app.RegistryPage{After: list[middle].Key}))
			all[noun] = list[1 : middle+1]
			equal(t, "entries", words(AllEntries(t, m, 1000)[noun]), words(all[noun]))
		}
	})
}

// words are entries as one can read them.
func words(entries []app.RegistryEntry) (list []string) {
	for _, e := range entries {
		list = append(list, e.Key+" "+string(e.Data))
	}
	return list
}

func sameEntries(t *testing.T, got, want map[app.RegistryNoun][]app.RegistryEntry) {
	t.Helper()
	for _, noun := range app.RegistryNouns() {
		equal(t, string(noun), words(got[noun]), words(want[noun]))
	}
}
