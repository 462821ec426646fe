package mongodb

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"tenantry/app"
)

// reaches says what is wrong with a command of a cluster that reaches documents:
// each filter names one organization, and each document that is stored is of one;
// nothing reads from one collection into another. In an organization's own
// collection it may be the mark of whose it is that is meant, or what a late writer
// has left there of others. owner is whose the command is, or "" where the test does not say. It
// is told of every command that a cluster of the tests sends.
func reaches(name string, command bson.Raw, owner string) error {
	if name == "bulkWrite" {
		return errors.New("a bulkWrite of several collections, which nothing looks into here")
	}
	target, err := command.IndexErr(0)
	if err != nil {
		return nil //nolint:nilerr // no command that a driver sends
	}
	collection, ofDocuments := target.Value().StringValueOK()
	if !ofDocuments {
		return nil
	}
	if pipeline, is := command.Lookup("pipeline").ArrayOK(); name == "aggregate" && is {
		if err := staysInside(pipeline); err != nil {
			return err
		}
	}
	g := guard{owner: owner, own: strings.HasPrefix(collection, "org_")}
	if collection != app.SharedCollection && !g.own {
		return nil
	}
	switch name {
	case "find":
		return g.filter(command.Lookup("filter"))
	case "count":
		if _, err := command.LookupErr("query"); err != nil {
			return nil //nolint:nilerr // how many there are in all, which no organization is told
		}
		return g.filter(command.Lookup("query"))
	case "distinct":
		return g.filter(command.Lookup("query"))
	case "findAndModify":
		return g.change(command, "query", "update")
	case "aggregate":
		return g.pipeline(command.Lookup("pipeline"))
	case "insert":
		return each(command, "documents", g.stored)
	case "update":
		return each(command, "updates", func(one bson.Raw) error { return g.change(one, "q", "u") })
	case "delete":
		return each(command, "deletes", func(one bson.Raw) error { return g.filter(one.Lookup("q")) })
	case "getMore", "create", "createIndexes", "collMod", "listIndexes":
		return nil // goes on with a find; the others reach no document
	case "drop", "dropIndexes":
		if g.own {
			return nil // drop.go and sweep.go say when
		}
	}
	return fmt.Errorf("nobody has said how a %s tells whose it is", name)
}

// guard looks into one command. The organizations that it names are one.
type guard struct {
	owner string
	// own: the collection is one organization's, and ids are as they are.
	own bool
}

// aside reports whether a filter is about the mark of an own collection, or about
// what is of others there.
func (g *guard) aside(filter bson.Raw) bool {
	if !g.own {
		return false
	}
	id, _ := filter.Lookup("_id").StringValueOK()
	_, err := filter.LookupErr("org_id", "$ne")
	return id == ownerID || err == nil
}

// each gives f every part of a command; there is one at least.
func each(command bson.Raw, key string, f func(bson.Raw) error) error {
	list, is := command.Lookup(key).ArrayOK()
	if !is {
		return fmt.Errorf("there are no %s to look at", key)
	}
	parts, err := list.Values()
	if err != nil || len(parts) == 0 {
		return fmt.Errorf("there are no %s to look at (%w)", key, err)
	}
	for _, part := range parts {
		one, is := part.DocumentOK()
		if !is {
			return fmt.Errorf("%s has a %s", key, part.Type)
		}
		if err := f(one); err != nil {
			return err
		}
	}
	return nil
}

// filter demands the organization's id, as text, and ids that are the organization's.
func (g *guard) filter(value bson.RawValue) error {
	filter, is := value.DocumentOK()
	if !is {
		return errors.New("it has no filter")
	}
	if g.aside(filter) {
		return nil
	}
	org, err := g.whose(filter)
	if err != nil || g.own {
		return err
	}
	elements, err := filter.Elements()
	if err != nil {
		return err
	}
	for _, e := range elements {
		if e.Key() == "_id" {
			if err := ofItsOwn(org, e.Value()); err != nil {
				return err
			}
		}
	}
	return nil
}

// whose is the one org_id of a filter or a document.
func (g *guard) whose(d bson.Raw) (string, error) {
	elements, err := d.Elements()
	if err != nil {
		return "", err
	}
	var named []string
	for _, e := range elements {
		if e.Key() == "org_id" {
			org, _ := e.Value().StringValueOK() // an operator is no organization
			named = append(named, org)
		}
	}
	switch {
	case len(named) != 1:
		return "", fmt.Errorf("org_id stands in it %d times, not once", len(named))
	case !app.IsID(named[0]):
		return "", errors.New("its org_id is no organization's id")
	case g.owner != "" && g.owner != named[0]:
		return "", fmt.Errorf("it is of %s, and the act of %s", named[0], g.owner)
	}
	return named[0], nil
}

// ofItsOwn demands that what a filter says of _id can be true of the
// organization's documents alone.
func ofItsOwn(org string, id bson.RawValue) error {
	if text, is := id.StringValueOK(); is {
		if !strings.HasPrefix(text, org+"/") {
			return fmt.Errorf("the _id %q is not the organization's", text)
		}
		return nil
	}
	operators, _ := id.DocumentOK()
	elements, err := operators.Elements()
	if err != nil || len(elements) == 0 {
		return fmt.Errorf("the _id is a %s", id.Type)
	}
	above, below := false, false
	for _, e := range elements {
		text, _ := e.Value().StringValueOK()
		switch e.Key() {
		case "$in":
			list, _ := e.Value().ArrayOK()
			ids, err := list.Values()
			if err != nil {
				return err
			}
			for _, one := range ids {
				if text, is := one.StringValueOK(); !is || !strings.HasPrefix(text, org+"/") {
					return fmt.Errorf("the _id %v is not the organization's", one)
				}
			}
			above, below = true, true
		case "$gt":
			above = strings.HasPrefix(text, org+"/")
		case "$lt":
			below = text == org+"0"
		default:
			return fmt.Errorf("the _id has %s", e.Key())
		}
	}
	if !above || !below {
		return fmt.Errorf("the _id reaches beyond the organization's: %v", id)
	}
	return nil
}

// stored demands of a document that it is the organization's, and its id says so.
func (g *guard) stored(d bson.Raw) error {
	if g.aside(d) {
		return nil
	}
	org, err := g.whose(d)
	if err != nil || g.own {
		return err
	}
	if id, _ := d.Lookup("_id").StringValueOK(); !strings.HasPrefix(id, org+"/") {
		return fmt.Errorf("a document of %s with the _id %q", org, id)
	}
	return nil
}

// change demands of an update that it finds the organization's documents alone,
// and leaves them the organization's.
func (g *guard) change(one bson.Raw, filter, update string) error {
	if err := g.filter(one.Lookup(filter)); err != nil {
		return err
	}
	org, _ := one.Lookup(filter, "org_id").StringValueOK()
	u, is := one.Lookup(update).DocumentOK()
	if !is {
		return errors.New("what it makes of documents is not said outright")
	}
	elements, err := u.Elements()
	if err != nil || len(elements) == 0 {
		return fmt.Errorf("it makes nothing of documents (%w)", err)
	}
	if !strings.HasPrefix(elements[0].Key(), "$") {
		same := guard{owner: org, own: g.own}
		return same.stored(u)
	}
	for _, e := range elements {
		if !slices.Contains([]string{"$set", "$unset", "$inc", "$max"}, e.Key()) {
			return fmt.Errorf("it changes documents by %s", e.Key())
		}
		fields, _ := e.Value().DocumentOK()
		changed, err := fields.Elements()
		if err != nil {
			return err
		}
		for _, field := range changed {
			if key, _, _ := strings.Cut(field.Key(), "."); key == "org_id" || key == "_id" {
				return fmt.Errorf("it gives documents another %s", key)
			}
		}
	}
	if upsert, _ := one.Lookup("upsert").BooleanOK(); upsert {
		return errors.New("it makes a document of what it does not say whole")
	}
	return nil
}

// anyAtAll is a stage by which not more than one is counted.
var anyAtAll = func() bson.RawValue {
	raw, _ := bson.Marshal(bson.D{{Key: "s", Value: bson.D{{Key: "$limit", Value: int64(1)}}}})
	return bson.Raw(raw).Lookup("s")
}()

// pipeline demands that it begins with a filter.
func (g *guard) pipeline(value bson.RawValue) error {
	list, _ := value.ArrayOK()
	stages, err := list.Values()
	if err != nil || len(stages) == 0 {
		return fmt.Errorf("it has no pipeline (%w)", err)
	}
	first, _ := stages[0].DocumentOK()
	if match, _ := first.Lookup("$match").DocumentOK(); g.own && len(stages) == 3 && stages[1].Equal(anyAtAll) && len(match) == len(bson.Raw{5, 0, 0, 0, 0}) {
		return nil // whether there is anything at all, which nobody is told
	}
	return g.filter(first.Lookup("$match"))
}

// staysInside demands of an aggregation that it is about one collection.
func staysInside(pipeline bson.RawArray) error {
	for _, stage := range []string{"$lookup", "$graphLookup", "$unionWith", "$out", "$merge", "$facet"} {
		if strings.Contains(pipeline.String(), `"`+stage+`"`) {
			return fmt.Errorf("it goes into other collections by %s", stage)
		}
	}
	return nil
}
