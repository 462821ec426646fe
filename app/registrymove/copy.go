package registrymove

import (
	"context"
	"fmt"
	"strings"

	"tenantry/app"
)

// copy copies everything, and compares both sides.
func (m *Move) copy(ctx context.Context, s state) (Counts, error) {
	if s.at == fresh {
		if err := m.Target.Clear(ctx); err != nil {
			return Counts{}, fmt.Errorf("the new registry: %w", err)
		}
	}
	nouns := app.RegistryNouns()
	for round := 1; ; round++ {
		for _, noun := range nouns {
			if err := m.copyNoun(ctx, noun); err != nil {
				return Counts{}, err
			}
		}
		counts, differ, err := m.compare(ctx)
		if err != nil || len(differ) == 0 {
			return counts, err
		}
		if round == rounds {
			return Counts{}, fmt.Errorf("what was copied is not what is there: %s", strings.Join(differ, ", "))
		}
		m.Log.Warn("what was copied differs, and is copied again", "entries", differ)
	}
}

func (m *Move) copyNoun(ctx context.Context, noun app.RegistryNoun) error {
	var n int64
	return eachPage(ctx, m.Source, noun, func(page app.RegistryPage) error {
		if err := m.Target.ImportEntries(ctx, noun, page); err != nil {
			return fmt.Errorf("the new registry: %w", err)
		}
		n += int64(len(page.Entries))
		m.report(Progress{Phase: Copying, Noun: noun, Entries: n})
		return nil
	})
}

// eachPage gives f all pages of a noun.
func eachPage(ctx context.Context, r Registry, noun app.RegistryNoun, f func(app.RegistryPage) error) error {
	for after := ""; ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		page, err := r.ExportEntries(ctx, noun, after, pageSize)
		if err != nil {
			return fmt.Errorf("%s of %s: %w", noun, r.Place, err)
		}
		if err := f(page); err != nil {
			return err
		}
		if page.Last() {
			return nil
		}
		after = page.Through
	}
}

// Counts says how much is in a registry.
type Counts struct {
	Entries, Bytes int64
	Nouns          map[app.RegistryNoun]NounCount
}

// NounCount is how much there is of a noun.
type NounCount struct{ Entries, Bytes int64 }

func (c *Counts) add(noun app.RegistryNoun, entries []app.RegistryEntry) {
	if c.Nouns == nil {
		c.Nouns = map[app.RegistryNoun]NounCount{}
	}
	n := c.Nouns[noun]
	for _, e := range entries {
		n.Entries++
		n.Bytes += int64(len(e.Key) + len(e.Data))
	}
	c.Entries += n.Entries - c.Nouns[noun].Entries
	c.Bytes += n.Bytes - c.Nouns[noun].Bytes
	c.Nouns[noun] = n
}

// Words lists what there is, for people.
func (c Counts) Words() string {
	var parts []string
	for _, noun := range app.RegistryNouns() {
		if n := c.Nouns[noun].Entries; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, Word(noun, n)))
		}
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, ", ")
}

// Word is a noun as people say it of n.
func Word(noun app.RegistryNoun, n int64) string {
	word := strings.ReplaceAll(string(noun), "_", " ")
	if n == 1 {
		return strings.TrimSuffix(word, "s")
	}
	return word
}

// Count reads a registry through.
func Count(ctx context.Context, r Registry) (Counts, error) {
	var c Counts
	for _, noun := range app.RegistryNouns() {
		err := eachPage(ctx, r, noun, func(page app.RegistryPage) error {
			c.add(noun, page.Entries)
			return nil
		})
		if err != nil {
			return c, err
		}
	}
	return c, nil
}
