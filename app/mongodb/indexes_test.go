package mongodb

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"tenantry/app/mongodb/mongotest"
)

// The table of docs/mongodb.md has the indexes that a server has after a start.
func TestTheIndexesOfThePage(t *testing.T) {
	t.Parallel()
	s := mongotest.Shared(t, mongotest.ReplicaSet)
	registry, cluster := s.Database(t), s.Database(t)
	_ = openTestRegistry(t, s, registry).Close()
	_ = openTestCluster(t, s, cluster).Close()
	want := append(indexesIn(t, s, "registry", registry), indexesIn(t, s, "cluster", cluster)...)

	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "mongodb.md"))
	must(t, err)
	var got []string
	for line := range strings.Lines(string(page)) {
		if cells := strings.Split(line, "|"); len(cells) == 8 && (strings.TrimSpace(cells[1]) == "registry" || strings.TrimSpace(cells[1]) == "cluster") {
			for i := range cells {
				cells[i] = strings.TrimSpace(cells[i])
			}
			got = append(got, strings.Join(cells[1:7], " | "))
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("the page has\n%s\nthe server has\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// indexesIn are the lines of the table about a database.
func indexesIn(t *testing.T, s *mongotest.Server, what, database string) (lines []string) {
	t.Helper()
	db := s.Client().Database(database)
	names, err := db.ListCollectionNames(t.Context(), bson.D{})
	must(t, err)
	for _, name := range names {
		cursor, err := db.Collection(name).Indexes().List(t.Context())
		must(t, err)
		var indexes []struct {
			Name   string `bson:"name"`
			Key    bson.D `bson:"key"`
			Unique bool   `bson:"unique"`
			Only   bson.D `bson:"partialFilterExpression"`
		}
		must(t, cursor.All(t.Context(), &indexes))
		for _, i := range indexes {
			if i.Name == "_id_" {
				continue
			}
			var fields []string
			for _, k := range i.Key {
				field := k.Key
				if fmt.Sprint(k.Value) == "-1" {
					field += " descending"
				}
				fields = append(fields, field)
			}
			unique := ""
			if i.Unique {
				unique = "yes"
			}
			lines = append(lines, strings.Join([]string{what, name, i.Name, strings.Join(fields, ", "), unique, condition(i.Only)}, " | "))
		}
	}
	return lines
}

// condition says of which documents a partial index is.
func condition(only bson.D) string {
	if len(only) != 1 {
		return ""
	}
	with, isCondition := only[0].Value.(bson.D)
	switch {
	case !isCondition:
		return fmt.Sprintf("%s = %v", only[0].Key, only[0].Value)
	case with[0].Key == "$exists":
		return "a " + only[0].Key
	case with[0].Key == "$gt" && with[0].Value == "":
		return only[0].Key + ` > ""`
	}
	return fmt.Sprint(only)
}
