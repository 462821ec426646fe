package registrymove

import (
	"bytes"
	"context"
	"fmt"

	"tenantry/app"
)

// shownDifferences is how many entries that differ are named.
const shownDifferences = 10

// compare reads both registries side by side and compares every entry whole. It
// counts those of the old one, and names those that differ.
func (m *Move) compare(ctx context.Context) (counts Counts, differ []string, err error) {
	for _, noun := range app.RegistryNouns() {
		old, next := &cursor{r: m.Source, noun: noun}, &cursor{r: m.Target, noun: noun}
		for {
			a, err := old.peek(ctx)
			if err != nil {
				return counts, differ, err
			}
			b, err := next.peek(ctx)
			if err != nil {
				return counts, differ, err
			}
			if a == nil && b == nil {
				break
			}
			why, key := "", ""
			switch {
			case b == nil || a != nil && a.Key < b.Key:
				why, key = "is missing", a.Key
			case a == nil || a.Key > b.Key:
				why, key = "is too much", b.Key
			case !bytes.Equal(a.Data, b.Data):
				why, key = "differs", a.Key
			}
			if why != "" && len(differ) < shownDifferences {
				differ = append(differ, fmt.Sprintf("%s %s %s", Word(noun, 1), key, why))
			}
			if a != nil && (b == nil || a.Key <= b.Key) {
				counts.add(noun, []app.RegistryEntry{*a})
				old.next()
			}
			if b != nil && (a == nil || b.Key <= a.Key) {
				next.next()
			}
		}
		m.report(Progress{Phase: Comparing, Noun: noun, Entries: counts.Nouns[noun].Entries})
	}
	return counts, differ, nil
}

// cursor reads a noun entry by entry.
type cursor struct {
	r    Registry
	noun app.RegistryNoun
	page app.RegistryPage
	read bool
}

// peek gives the entry at the cursor, or nil behind the last.
func (c *cursor) peek(ctx context.Context) (*app.RegistryEntry, error) {
	for len(c.page.Entries) == 0 {
		if c.read && c.page.Last() {
			return nil, nil
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		page, err := c.r.ExportEntries(ctx, c.noun, c.page.Through, pageSize)
		if err != nil {
			return nil, fmt.Errorf("%s of %s: %w", c.noun, c.r.Place, err)
		}
		c.page, c.read = page, true
	}
	return &c.page.Entries[0], nil
}

func (c *cursor) next() { c.page.Entries = c.page.Entries[1:] }
