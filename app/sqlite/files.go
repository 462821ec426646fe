package sqlite

import (
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"strings"

	"tenantry/app"
)

// shardName is the name of the n-th shard's file, without its extension.
func shardName(n int) string { return fmt.Sprintf("shard-%02d", n) }

// shardOf spreads organizations over shards by a hash of their id.
func shardOf(org app.OrganizationID, shards int) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(org)) // never fails
	return int(h.Sum32() % uint32(shards))
}

// parseShard accepts the names that shardName makes.
func parseShard(name string) error {
	var n int
	if _, err := fmt.Sscanf(name, "shard-%d", &n); err != nil || n < 0 || shardName(n) != name {
		return errFile()
	}
	return nil
}

const organizationPrefix = "org-"

// organizationFile is the name of an organization's own file, without its
// extension.
func organizationFile(org app.OrganizationID) string { return organizationPrefix + string(org) }

// parseOrganizationFile accepts the names that organizationFile makes.
func parseOrganizationFile(name string) error {
	if id, is := strings.CutPrefix(name, organizationPrefix); !is || !app.IsID(id) {
		return errFile()
	}
	return nil
}

func errFile() error {
	return app.Invalid("database", "invalid_database",
		`The database is "shard-" and a number, or, for the isolation "database", "org-" and the organization's id.`)
}

// path is that of the file of this name.
func (c *Cluster) path(name string) string { return filepath.Join(c.dir, name+".db") }

// files lists the names of the files that there are, open or not, and which of
// them have a note of damage.
func (c *Cluster) files() (names []string, damaged map[string]bool, err error) {
	entries, err := os.ReadDir(c.dir) // sorted
	if err != nil {
		return nil, nil, fmt.Errorf("cluster %s: %w", c.name, err)
	}
	damaged = map[string]bool{}
	for _, e := range entries {
		if name, is := strings.CutSuffix(e.Name(), ".db"+damageSuffix); is {
			damaged[name] = true
			continue
		}
		name, is := strings.CutSuffix(e.Name(), ".db")
		if is && (parseShard(name) == nil || parseOrganizationFile(name) == nil) {
			names = append(names, name)
		}
	}
	return names, damaged, nil
}
