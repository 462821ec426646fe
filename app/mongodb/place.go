package mongodb

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode/utf8"

	"tenantry/app"
)

// Locate names the place of a new organization. See app.Cluster.
func (c *Cluster) Locate(org app.OrganizationID, slug string, isolation app.Isolation) (app.Placement, error) {
	p := app.Placement{Cluster: c.key, Isolation: isolation, Database: c.db.Name(),
		Collection: app.CollectionIn(isolation, slug), Generation: 1}
	if isolation == app.IsolationDatabase {
		p.Database = c.databaseOf(org)
	}
	return p, c.check(app.Namespace{Organization: org, Placement: p})
}

// databaseOf names an organization's own database: the cluster's, and the
// organization's id. A name is shorter than 64 bytes; one that would not be is
// cut, and tells by a hash what it was.
func (c *Cluster) databaseOf(org app.OrganizationID) string {
	const longest, hashed = 30, 8
	name := c.db.Name()
	if len(name) > longest {
		sum := sha256.Sum256([]byte(name))
		cut := name[:longest-hashed-1]
		for !utf8.ValidString(cut) {
			cut = cut[:len(cut)-1]
		}
		name = cut + "_" + hex.EncodeToString(sum[:])[:hashed]
	}
	return name + "_" + strings.ReplaceAll(string(org), "-", "")
}

// check refuses what cannot be a namespace here.
func (c *Cluster) check(ns app.Namespace) error {
	if !app.IsID(string(ns.Organization)) {
		return app.Invalid("organization", "invalid_id", "An organization's id is a UUID in lower case.")
	}
	return checkCollection(ns.Placement.Isolation, ns.Placement.Collection)
}

// checkCollection accepts the name of the shared collection for IsolationShared,
// and else "org_" and one or more of a to z, 0 to 9 and "_", so that no other
// collection can be meant.
func checkCollection(isolation app.Isolation, name string) error {
	switch isolation {
	case app.IsolationCollection, app.IsolationDatabase:
	case app.IsolationShared:
		if name != app.SharedCollection {
			return app.Invalid("collection", "invalid_collection",
				`The collection of an organization in the isolation "shared" is "`+app.SharedCollection+`".`)
		}
		return nil
	default:
		return app.Invalid("isolation", "invalid_isolation", `The isolation is "collection", "shared" or "database".`)
	}
	const prefix, longest = "org_", 128
	valid := len(name) > len(prefix) && len(name) <= longest && name[:len(prefix)] == prefix
	for i := len(prefix); valid && i < len(name); i++ {
		c := name[i]
		valid = c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_'
	}
	if !valid {
		return app.Invalid("collection", "invalid_collection",
			`A collection's name is "org_" and lower-case ASCII letters, digits or "_", at most 128 in all.`)
	}
	return nil
}
