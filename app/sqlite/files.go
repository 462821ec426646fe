package sqlite

import (
	"fmt"
	"hash/fnv"

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

// parseShard accepts the names that shardName makes: the name of a placement's
// database becomes the name of a file.
func parseShard(name string) error {
	var n int
	if _, err := fmt.Sscanf(name, "shard-%d", &n); err != nil || n < 0 || shardName(n) != name {
		return app.Invalid("database", "invalid_database", `A shard's name is "shard-" and its number.`)
	}
	return nil
}
