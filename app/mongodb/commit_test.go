package mongodb

import (
	"errors"
	"slices"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"tenantry/app"
	"tenantry/app/mongodb/mongotest"
)

// failing makes the server fail a command, as the drivers' own tests do.
func failing(t *testing.T, s *mongotest.Server, mode any, data bson.D) {
	t.Helper()
	err := s.Client().Database("admin").RunCommand(t.Context(), bson.D{
		{Key: "configureFailPoint", Value: "failCommand"}, {Key: "mode", Value: mode}, {Key: "data", Value: data}}).Err()
	if err != nil {
		t.Fatal(err)
	}
}

func times(n int) bson.D { return bson.D{{Key: "times", Value: n}} }

// Whatever a commit answers, and whether it took effect or not: what is
// acknowledged is there, once, and what is refused is not.
func TestCommitsThatDoNotAnswer(t *testing.T) {
	t.Parallel()
	s := mongotest.Start(t, mongotest.ReplicaSet, "--enable-test-commands")
	r := openTestRegistry(t, s, s.Database(t))
	defer func() { _ = r.Close() }()
	commit := bson.A{"commitTransaction"}
	for name, c := range map[string]struct {
		mode any
		data bson.D
	}{
		"cut before it took effect": {times(1), bson.D{{Key: "failCommands", Value: commit}, {Key: "closeConnection", Value: true}}},
		"cut thrice":                {times(3), bson.D{{Key: "failCommands", Value: commit}, {Key: "closeConnection", Value: true}}},
		"it took effect": {times(1), bson.D{{Key: "failCommands", Value: commit}, {Key: "writeConcernError",
			Value: bson.D{{Key: "code", Value: 91}, {Key: "errmsg", Value: "shutting down"}, {Key: "errorLabels", Value: bson.A{"RetryableWriteError"}}}}}},
		"a conflict": {times(2), bson.D{{Key: "failCommands", Value: bson.A{"bulkWrite"}}, {Key: "errorCode", Value: 112},
			{Key: "errorLabels", Value: bson.A{"TransientTransactionError"}}}},
	} {
		slug := "org-" + name
		op, made := creation(slug)
		failing(t, s, c.mode, c.data)
		if err := r.BeginCreate(t.Context(), op, made); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		failing(t, s, "off", nil)
		got, err := r.Organization(t.Context(), made.Organization.ID)
		if err != nil || got.Slug != slug {
			t.Errorf("%s: acknowledged, and not there: %v", name, err)
		}
		if _, err := r.FinishCreate(t.Context(), op, app.Now()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		op, made = creation(slug)
		var taken *app.TakenError
		if err := r.BeginCreate(t.Context(), op, made); !errors.As(err, &taken) {
			t.Errorf("%s: the name was given twice: %v", name, err)
		}
	}
}

// A commit that never answers is refused, and then it is not there, for ever.
func TestACommitThatNeverAnswers(t *testing.T) {
	t.Parallel()
	s := mongotest.Start(t, mongotest.ReplicaSet, slices.Concat(mongotest.ShortTransactions, []string{"--enable-test-commands"})...)
	r, err := OpenRegistry(t.Context(), Options{URL: s.URL("x") + "&timeoutMS=1500&heartbeatFrequencyMS=500"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	op, made := creation("acme")
	failing(t, s, "alwaysOn", bson.D{{Key: "failCommands", Value: bson.A{"commitTransaction"}}, {Key: "closeConnection", Value: true}})
	err = r.BeginCreate(t.Context(), op, made)
	if !errors.Is(err, app.ErrUnavailable) {
		t.Fatalf("got %v, want %v", err, app.ErrUnavailable)
	}
	failing(t, s, "off", nil)
	if _, err := r.Organization(t.Context(), made.Organization.ID); !errors.Is(err, app.ErrNotFound) {
		t.Fatalf("refused, and there: %v", err)
	}
	// Once the server has given up its transaction nothing is in the way.
	op, made = creation("acme")
	eventually(t, "the name is free", func() bool {
		err := r.BeginCreate(t.Context(), op, made)
		if err != nil && !errors.Is(err, app.ErrUnavailable) && !errors.Is(err, app.ErrConflict) {
			t.Fatal(err)
		}
		return err == nil
	})
}
