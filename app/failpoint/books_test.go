//go:build unix

package failpoint_test

import (
	"database/sql"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	_ "modernc.org/sqlite"
)

// books are a registry's records as another program reads them.
type books struct {
	organizations, users, memberships, claims, operations []record
}

// record has the fields of one that others refer to, as text.
type record map[string]string

// books reads the registry.
func (i *installation) books() books {
	i.t.Helper()
	read := i.rows
	if i.server != nil {
		read = i.documents
	}
	return books{
		organizations: read("organizations", "state", "owner_id"),
		users:         read("users"),
		memberships:   read("memberships", "organization_id", "user_id"),
		claims:        read("claims", "kind", "value", "owner"),
		operations:    read("operations", "kind", "state", "organization_id"),
	}
}

func (i *installation) rows(table string, fields ...string) (list []record) {
	i.t.Helper()
	db, err := sql.Open("sqlite", "file:"+i.registry+"?mode=ro")
	if err != nil {
		i.t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	rows, err := db.QueryContext(i.t.Context(), "SELECT * FROM "+table)
	if err != nil {
		i.t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		i.t.Fatal(err)
	}
	for rows.Next() {
		cells, into := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for n := range cells {
			into[n] = &cells[n]
		}
		if err := rows.Scan(into...); err != nil {
			i.t.Fatal(err)
		}
		all, kept := record{}, record{}
		for n, column := range columns {
			all[column] = cells[n].String
		}
		for _, field := range append(fields, "id") {
			kept[field] = all[field]
		}
		list = append(list, kept)
	}
	if err := rows.Err(); err != nil {
		i.t.Fatal(err)
	}
	return list
}

func (i *installation) documents(collection string, fields ...string) (list []record) {
	i.t.Helper()
	cursor, err := i.server.Client().Database(i.registry).Collection(collection).Find(i.t.Context(),
		bson.D{{Key: "gone", Value: bson.D{{Key: "$exists", Value: false}}}})
	if err != nil {
		i.t.Fatal(err)
	}
	var all []bson.M
	if err := cursor.All(i.t.Context(), &all); err != nil {
		i.t.Fatal(err)
	}
	for _, d := range all {
		kept := record{}
		for _, field := range fields {
			kept[field], _ = d[field].(string)
		}
		kept["id"], _ = d["_id"].(string)
		list = append(list, kept)
	}
	return list
}

// check fails the test where something is half there.
func (b books) check(t *testing.T) {
	t.Helper()
	organizations, users := map[string]bool{}, map[string]bool{}
	for _, u := range b.users {
		users[u["id"]] = true
	}
	slugs, emails := map[string]int{}, map[string]int{}
	for _, o := range b.organizations {
		organizations[o["id"]] = true
		switch o["state"] {
		case "active", "deleted":
		default:
			t.Errorf("an organization is %s", o["state"])
		}
		if !users[o["owner_id"]] {
			t.Errorf("the organization %s has no owner", o["id"])
		}
	}
	members := map[string]bool{}
	for _, m := range b.memberships {
		members[m["user_id"]], members[m["organization_id"]] = true, true
		if !organizations[m["organization_id"]] || !users[m["user_id"]] {
			t.Errorf("a membership of nobody, or nowhere: %v", m)
		}
	}
	for _, c := range b.claims {
		switch c["kind"] {
		case "slug":
			slugs[c["owner"]]++
		case "email":
			emails[c["owner"]]++
		}
		if c["kind"] != "operator_key" && c["kind"] != "operator" && !organizations[c["owner"]] && !users[c["owner"]] {
			t.Errorf("a name is held by nobody: %v", c)
		}
	}
	for id := range organizations {
		if !members[id] || slugs[id] != 1 {
			t.Errorf("the organization %s has a member: %v, and holds %d slugs", id, members[id], slugs[id])
		}
	}
	for id := range users {
		if !members[id] || emails[id] != 1 {
			t.Errorf("the user %s is a member: %v, and holds %d addresses", id, members[id], emails[id])
		}
	}
	for _, op := range b.operations {
		if op["state"] == "running" && op["kind"] == "delete" && organizations[op["organization_id"]] {
			continue // to be restored until it is due
		}
		switch op["state"] {
		case "completed", "failed", "cancelled":
		default:
			t.Errorf("an operation is left: %v", op)
		}
	}
	if len(b.organizations) == 0 || len(b.claims) == 0 {
		t.Error("nothing was read: the test looks in the wrong place")
	}
}
