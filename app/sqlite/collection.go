package sqlite

import (
	"fmt"
	"hash/fnv"

	"tenantry/app"
)

// collection is the name of an organization's table. It has been checked and
// can stand in a statement.
type collection string

// parseCollection accepts "org_" and one or more of a to z, 0 to 9 and "_".
// A table's name cannot be bound as a parameter; this is what keeps anything
// else out of the statements, whatever the layers above let through.
func parseCollection(name string) (collection, error) {
	const prefix, longest = "org_", 128
	if len(name) <= len(prefix) || len(name) > longest || name[:len(prefix)] != prefix {
		return "", errCollection()
	}
	for i := len(prefix); i < len(name); i++ {
		if c := name[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return "", errCollection()
		}
	}
	return collection(name), nil
}

func errCollection() error {
	return app.Invalid("collection", "invalid_collection",
		`A collection's name is "org_" and lower-case ASCII letters, digits or "_", at most 128 in all.`)
}

// sql is the name as it stands in a statement.
func (c collection) sql() string { return `"` + string(c) + `"` }

// index is the name of an organization's index by type. Names of indexes are
// one space in a file and outlive the renaming of their table, so it is the
// organization's id that makes it.
func index(org app.OrganizationID) (string, error) {
	if !app.IsID(string(org)) {
		return "", app.Invalid("organization", "invalid_id", "An organization's id is a UUID in lower case.")
	}
	return `"type_` + string(org) + `"`, nil
}

// shardName is the name of the n-th shard's file, without its extension.
func shardName(n int) string { return fmt.Sprintf("shard-%02d", n) }

// shardOf spreads organizations over shards by a hash of their id.
func shardOf(org app.OrganizationID, shards int) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(org)) // never fails
	return int(h.Sum32() % uint32(shards))
}

// parseShard accepts the names that shardName makes: the name of a placement's
// database becomes the name of a file.
func parseShard(name string) error {
	var n int
	if _, err := fmt.Sscanf(name, "shard-%d", &n); err != nil || n < 0 || shardName(n) != name {
		return app.Invalid("database", "invalid_database", `A shard's name is "shard-" and its number.`)
	}
	return nil
}
