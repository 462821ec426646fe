package config

import (
	"fmt"
	"math"
	"strings"
)

// longestKnown is more than any key's name has: what is longer is compared by
// its beginning, since comparing costs the product of the lengths.
const longestKnown = 80

// nearest names a known key, such as "; the nearest known is \"listen\"".
func (l *loader) nearest(name string) string {
	names := make([]string, len(l.keys))
	for i, k := range l.keys {
		names[i] = k.Name
	}
	return nearestOf(name, names)
}

func nearestOf(name string, known []string) string {
	name = name[:min(len(name), longestKnown)]
	// A key whose section was left out is near, however long the section is.
	bare := strings.TrimPrefix(name, envPrefix)
	best, least := "", math.MaxInt
	for _, k := range known {
		d := distance(name, k)
		if strings.HasSuffix(k, "."+bare) || strings.HasSuffix(k, "_"+bare) {
			d = min(d, 1)
		}
		if d < least {
			best, least = k, d
		}
	}
	return fmt.Sprintf("; the nearest known is %q", best)
}

// distance counts the characters to insert, remove or replace (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := before
			if a[i] != b[j] {
				cost = 1 + min(before, row[j], row[j+1])
			}
			before, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
