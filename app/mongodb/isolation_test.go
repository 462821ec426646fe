package mongodb

import (
	"context"
	"slices"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"

	"tenantry/app"
	"tenantry/app/mongodb/mongotest"
)

// The monitor of the tests lets pass what the program sends, and sees each thing
// by which a command could reach another organization.
func TestTheMonitorSeesWhatReachesOthers(t *testing.T) {
	t.Parallel()
	const a, b = "01890a5d-ac96-774b-bcce-b302099a8057", "01890a5d-ac96-774b-bcce-b302099a8058"
	type d = bson.D
	org := bson.E{Key: "org_id", Value: a}
	id := bson.E{Key: "_id", Value: a + "/x"}
	document := d{id, org, {Key: "data", Value: "{}"}}
	set := d{{Key: "$set", Value: d{{Key: "data", Value: "{}"}}}}
	find := func(filter ...bson.E) d {
		return d{{Key: "find", Value: "shared"}, {Key: "filter", Value: d(filter)}}
	}
	update := func(filter, u any, more ...bson.E) d {
		return d{{Key: "update", Value: "shared"}, {Key: "updates", Value: bson.A{append(d{{Key: "q", Value: filter}, {Key: "u", Value: u}}, more...)}}}
	}
	insert := func(documents ...any) d {
		return d{{Key: "insert", Value: "shared"}, {Key: "documents", Value: bson.A(documents)}}
	}
	remove := func(filter ...bson.E) d {
		return d{{Key: "delete", Value: "shared"}, {Key: "deletes", Value: bson.A{d{{Key: "q", Value: d(filter)}, {Key: "limit", Value: 1}}}}}
	}
	modify := func(filter, u any) d {
		return d{{Key: "findAndModify", Value: "shared"}, {Key: "query", Value: filter}, {Key: "update", Value: u}}
	}
	aggregate := func(stages ...any) d {
		return d{{Key: "aggregate", Value: "shared"}, {Key: "pipeline", Value: bson.A(stages)}}
	}
	ids := func(operators ...bson.E) bson.E { return bson.E{Key: "_id", Value: d(operators)} }

	for name, command := range map[string]d{
		"find": find(id, org), "find by id first or last": find(org, id), "after": find(ids(bson.E{Key: "$gt", Value: a + "/"}, bson.E{Key: "$lt", Value: a + "0"}), org),
		"these": find(org, ids(bson.E{Key: "$in", Value: bson.A{a + "/x", a + "/y"}})), "every": find(org),
		"count of all": {{Key: "count", Value: "shared"}}, "count": {{Key: "count", Value: "shared"}, {Key: "query", Value: d{org}}},
		"update": update(d{org}, set), "replace": update(d{org}, document), "upsert whole": update(d{id, org}, document, bson.E{Key: "upsert", Value: true}),
		"insert": insert(document, document), "delete": remove(id, org), "modify": modify(d{org, id}, set),
		"aggregate": aggregate(d{{Key: "$match", Value: d{org}}}, d{{Key: "$group", Value: d{{Key: "_id", Value: nil}}}}),
		"getMore":   {{Key: "getMore", Value: int64(1)}, {Key: "collection", Value: "shared"}}, "ping": {{Key: "ping", Value: 1}},
		"another collection": {{Key: "find", Value: "namespaces"}, {Key: "filter", Value: d{}}},
	} {
		if err := reachesOf(t, command, a); err != nil {
			t.Errorf("%s is refused: %v", name, err)
		}
	}

	other := bson.E{Key: "org_id", Value: b}
	theirs := bson.E{Key: "_id", Value: b + "/x"}
	for name, command := range map[string]d{
		"find all": find(), "find without a filter": {{Key: "find", Value: "shared"}}, "find by id alone": find(id), "find others'": find(other),
		"find any": find(bson.E{Key: "org_id", Value: d{{Key: "$ne", Value: b}}}), "find by some": find(bson.E{Key: "org_id", Value: d{{Key: "$in", Value: bson.A{a, b}}}}),
		"find by pattern": find(bson.E{Key: "org_id", Value: bson.Regex{Pattern: "."}}), "find by either": find(bson.E{Key: "$or", Value: bson.A{d{org}, d{other}}}),
		"find twice": find(org, other), "find nobody's": find(bson.E{Key: "org_id", Value: ""}), "their id": find(theirs, org),
		"their ids": find(org, ids(bson.E{Key: "$in", Value: bson.A{a + "/x", b + "/x"}})), "from theirs on": find(org, ids(bson.E{Key: "$gt", Value: a + "/"})),
		"up to theirs": find(org, ids(bson.E{Key: "$gt", Value: a + "/"}, bson.E{Key: "$lt", Value: b + "0"})), "not this": find(org, ids(bson.E{Key: "$ne", Value: "x"})),
		"count by type": {{Key: "count", Value: "shared"}, {Key: "query", Value: d{{Key: "type", Value: "note"}}}},
		"distinct":      {{Key: "distinct", Value: "shared"}, {Key: "key", Value: "type"}},
		"update all":    update(d{}, set), "update into theirs": update(d{org}, d{{Key: "$set", Value: d{other}}}),
		"update by pipeline": update(d{org}, bson.A{d{{Key: "$set", Value: d{other}}}}), "update by renaming": update(d{org}, d{{Key: "$rename", Value: d{{Key: "data", Value: "org_id"}}}}),
		"replace by theirs": update(d{org}, d{theirs, other}), "replace by nobody's": update(d{org}, d{{Key: "data", Value: "{}"}}),
		"upsert a part":   update(d{org}, set, bson.E{Key: "upsert", Value: true}),
		"second update":   {{Key: "update", Value: "shared"}, {Key: "updates", Value: bson.A{d{{Key: "q", Value: d{org}}, {Key: "u", Value: set}}, d{{Key: "q", Value: d{}}, {Key: "u", Value: set}}}}},
		"insert nobody's": insert(d{id}), "insert theirs": insert(d{theirs, other}), "insert under their id": insert(d{theirs, org}),
		"insert twice owned": insert(d{id, org, other}), "second insert": insert(document, d{id}), "insert nothing": insert(),
		"delete all": remove(), "delete by id alone": remove(id), "modify all": modify(d{}, set), "modify into theirs": modify(d{org}, d{{Key: "$set", Value: d{theirs}}}),
		"aggregate all": aggregate(d{{Key: "$group", Value: d{{Key: "_id", Value: nil}}}}), "aggregate late": aggregate(d{{Key: "$sort", Value: d{org}}}, d{{Key: "$match", Value: d{org}}}),
		"aggregate into others": aggregate(d{{Key: "$match", Value: d{org}}}, d{{Key: "$unionWith", Value: "shared"}}),
		"from elsewhere":        {{Key: "aggregate", Value: "namespaces"}, {Key: "pipeline", Value: bson.A{d{{Key: "$lookup", Value: d{{Key: "from", Value: "shared"}}}}}}},
		"mapReduce":             {{Key: "mapReduce", Value: "shared"}}, "bulkWrite": {{Key: "bulkWrite", Value: 1}},
	} {
		if err := reachesOf(t, command, a); err == nil {
			t.Errorf("%s is let pass", name)
		}
	}
	own := func(command d) d {
		command[0].Value = "org_acme"
		return command
	}
	plain := bson.E{Key: "_id", Value: "x"}
	mark := bson.E{Key: "_id", Value: ownerID}
	for name, command := range map[string]d{
		"find": find(plain, org), "insert": insert(d{plain, org}), "insert the mark": insert(d{mark, {Key: "of", Value: a}}), "find the mark": find(mark),
		"others'": find(bson.E{Key: "org_id", Value: d{{Key: "$ne", Value: a}}}), "replace": update(d{plain, org}, d{plain, org}),
		"whether there is any": aggregate(d{{Key: "$match", Value: d{}}}, d{{Key: "$limit", Value: int64(1)}}, d{{Key: "$group", Value: d{{Key: "_id", Value: 1}}}}),
	} {
		if err := reachesOf(t, own(command), a); err != nil {
			t.Errorf("in its own collection %s is refused: %v", name, err)
		}
	}
	for name, command := range map[string]d{
		"find all": find(), "find by id alone": find(plain), "find another's": find(other), "insert nobody's": insert(d{plain}), "insert another's": insert(d{plain, other}),
		"update all": update(d{}, set), "make it another's": update(d{plain, org}, d{{Key: "$set", Value: d{other}}}), "delete all": remove(), "modify by id": modify(d{plain}, set),
		"count all that match": aggregate(d{{Key: "$match", Value: d{}}}, d{{Key: "$group", Value: d{{Key: "_id", Value: 1}}}}),
	} {
		if err := reachesOf(t, own(command), a); err == nil {
			t.Errorf("in its own collection %s is let pass", name)
		}
	}
	if err := reachesOf(t, find(other), ""); err != nil {
		t.Errorf("an act of nobody in particular: %v", err)
	}
}

func reachesOf(t *testing.T, command bson.D, owner string) error {
	t.Helper()
	raw, err := bson.Marshal(command)
	must(t, err)
	return reaches(command[0].Key, raw, owner)
}

// All ways in which the program speaks of the shared collection come by the
// monitor, with all that they carry.
func TestEveryCommandComesByTheMonitor(t *testing.T) {
	t.Parallel()
	s := mongotest.Shared(t, mongotest.ReplicaSet)
	acts, seen := []string{"find", "insert", "update", "delete", "findAndModify", "aggregate"}, map[string]int{}
	lookOn := &event.CommandMonitor{Started: func(ctx context.Context, e *event.CommandStartedEvent) {
		target, _ := e.Command.Index(0).Value().StringValueOK()
		if target == app.SharedCollection && ownerOf(ctx) != "" && slices.Contains(acts, e.CommandName) {
			seen[e.CommandName]++
			if err := reaches(e.CommandName, e.Command, ownerOf(ctx)); err != nil {
				t.Errorf("%s: %v", e.CommandName, err)
			}
			if reaches(e.CommandName, e.Command, string(app.NewID[app.OrganizationID]())) == nil {
				t.Errorf("a %s of one is let pass as another's: %v", e.CommandName, e.Command)
			}
		}
	}}
	inner, err := OpenCluster(t.Context(), "default", Options{URL: s.URL(s.Database(t)) + "&timeoutMS=30000", AppVersion: "test", Monitor: lookOn})
	must(t, err)
	defer func() { _ = inner.Close() }()
	c := owned{inner}
	ns := app.Namespace{Organization: app.NewID[app.OrganizationID]()}
	ns.Placement, err = c.Locate(ns.Organization, "acme", app.IsolationShared)
	must(t, err)
	must(t, c.Provision(t.Context(), ns))
	for _, id := range []app.DocumentID{"a", "b", "c"} {
		must(t, c.InsertDocument(t.Context(), ns, document(id, `{}`)))
	}
	must(t, c.SetPhase(t.Context(), ns, app.PhaseRecording))
	must(t, first(c.ReplaceDocument(t.Context(), ns, "a", app.AnyRevision, app.Replacement{Data: []byte(`{}`), At: app.Now()})))
	must(t, c.DeleteDocument(t.Context(), ns, "b", app.AnyRevision))
	must(t, first(c.Stats(t.Context(), ns)))
	must(t, first(c.CountChanges(t.Context(), ns, 9)))
	changes, err := c.Changes(t.Context(), ns, 9, 0)
	must(t, err)
	must(t, c.Settle(t.Context(), ns, changes))
	must(t, c.SetPhase(t.Context(), ns, app.PhaseClosed))
	must(t, c.Import(t.Context(), ns, []app.Document{document("a", `{}`), document("d", `{}`)}, []app.DocumentID{"c"}))
	must(t, c.Drop(t.Context(), ns))
	for _, name := range acts {
		if seen[name] == 0 {
			t.Errorf("no %s came by: %v", name, seen)
		}
	}
}
