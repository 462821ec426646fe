package sqlite

import (
	"tenantry/app"
)

// collection is the name of an organization's table. It has been checked and
// can stand in a statement.
type collection string

// parseTable accepts the names that tables of an isolation can have.
func parseTable(isolation app.Isolation, name string) (table, error) {
	if isolation == app.IsolationShared {
		if name != app.SharedCollection {
			return table{}, app.Invalid("collection", "invalid_collection",
				`The collection of all that share one is "`+app.SharedCollection+`".`)
		}
		return sharedTable, nil
	}
	parsed, err := parseCollection(name)
	return table{isolation, parsed}, err
}

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
