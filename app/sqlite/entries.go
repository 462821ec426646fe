package sqlite

import (
	"encoding/json"
	"strings"

	"tenantry/app"
)

// entryTable is how the entries of a noun are kept.
type entryTable struct {
	name, columns string
	// order is by the key; after is true of rows behind the key that bound gives
	// the values of, through of the others.
	order, after, through string
	bound                 func(key string) []any
	read                  func(row scanner) (app.RegistryEntry, error)
	write                 func(c *conn, e app.RegistryEntry) error
}

// entriesOf describes a table whose key is one column.
func entriesOf[T any](name, key, columns string, scan func(scanner) (T, error), id func(T) string, insert func(*conn, T) error) entryTable {
	return entryTable{
		name: name, columns: columns, order: key, after: key + " > ?", through: key + " <= ?",
		bound: func(key string) []any { return []any{key} },
		read: func(row scanner) (app.RegistryEntry, error) {
			v, err := scan(row)
			if err != nil {
				return app.RegistryEntry{}, err
			}
			return app.Entry(id(v), v)
		},
		write: func(c *conn, e app.RegistryEntry) error {
			v, err := app.EntryValue[T](e)
			if err != nil {
				return err
			}
			return insert(c, v)
		},
	}
}

// inTwo is t with a key of two columns, with a separator between them that the
// first one does not have.
func (t entryTable) inTwo(columns, separator string) entryTable {
	t.order, t.after, t.through = columns, "("+columns+") > (?, ?)", "("+columns+") <= (?, ?)"
	t.bound = func(key string) []any {
		first, second, _ := strings.Cut(key, separator)
		return []any{first, second}
	}
	return t
}

var entryTables = map[app.RegistryNoun]entryTable{
	app.NounUsers: entriesOf("users", "id", userColumns, scanUser,
		func(u app.User) string { return string(u.ID) }, writeUser),
	app.NounOrganizations: entriesOf("organizations", "id", organizationColumns, scanOrganization,
		func(o app.Organization) string { return string(o.ID) }, writeOrganization),
	app.NounMemberships: entriesOf("memberships", "", membershipColumns, scanMembership,
		func(m app.Membership) string { return string(m.OrganizationID) + "/" + string(m.UserID) }, insertMembership).
		inTwo("organization_id, user_id", "/"),
	app.NounClaims: entriesOf("claims", "", "kind, value, owner", scanClaim,
		func(k app.Claim) string { return k.Kind + ":" + k.Value }, insertClaim).
		inTwo("kind, value", ":"),
	app.NounOperations: entriesOf("operations", "id", operationColumns, scanOperation,
		func(op app.Operation) string { return string(op.ID) }, insertOperation),
	app.NounRepetitions: entriesOf("repetitions", "key", repetitionColumns, scanRepetition,
		func(r app.Repetition) string { return r.Key }, writeRepetition),
	app.NounSessions: entriesOf("sessions", "id", sessionColumns, scanSession,
		func(s app.Session) string { return string(s.ID) }, insertSession),
	app.NounOperatorKeys: entriesOf("operator_keys", "id", operatorKeyColumns, scanOperatorKey,
		func(k app.OperatorKey) string { return string(k.ID) }, insertOperatorKey),
	app.NounSigningKeys: entriesOf("signing_keys", "id", signingKeyColumns, scanSigningKey,
		func(k app.SigningKey) string { return k.ID }, insertSigningKey),
	app.NounAddedClusters: entriesOf("added_clusters", "name", addedClusterColumns, scanAddedCluster,
		func(k app.AddedCluster) string { return k.Name }, insertAddedCluster),
}

func scanClaim(row scanner) (k app.Claim, err error) {
	err = row.Scan(&k.Kind, &k.Value, &k.Owner)
	return k, err
}

func insertClaim(c *conn, k app.Claim) error {
	_, err := c.exec(`INSERT INTO claims (kind, value, owner) VALUES (?, ?, ?)`, k.Kind, k.Value, k.Owner)
	return err
}

const repetitionColumns = `key, fingerprint, expires_at, organization_id, answer`

func scanRepetition(row scanner) (r app.Repetition, err error) {
	var organization, answer string
	if err = row.Scan(&r.Key, &r.Fingerprint, at{&r.ExpiresAt}, &organization, &answer); err != nil {
		return r, err
	}
	return r, json.Unmarshal([]byte(answer), &r.Organization)
}

func writeRepetition(c *conn, r app.Repetition) error {
	answer, err := json.Marshal(r.Organization)
	if err != nil {
		return err
	}
	_, err = c.exec(`INSERT INTO repetitions (`+repetitionColumns+`) VALUES (?, ?, ?, ?, ?)`,
		r.Key, r.Fingerprint, r.ExpiresAt.UnixMilli(), r.Organization.ID, string(answer))
	return err
}
