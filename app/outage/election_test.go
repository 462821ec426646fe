package outage_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"tenantry/app/config"
	"tenantry/app/mongodb/mongotest"
)

// What a server that is no primary any more says, as in MongoDB's list of codes.
var elections = []struct {
	code int32
	name string
}{{10107, "NotWritablePrimary"}, {189, "PrimarySteppedDown"}, {91, "ShutdownInProgress"}}

// misfortune is what happens to one command.
type misfortune struct {
	name string
	// code and labels are answered; zero: the connection is closed.
	code   int32
	labels bson.A
	after  bool // the command was done before
}

// misfortunes are all of them, before and after a command took effect.
func misfortunes() []misfortune {
	var all []misfortune
	for _, after := range []bool{false, true} {
		when := map[bool]string{false: "before", true: "after"}[after]
		for _, e := range elections {
			for _, labels := range []bson.A{{}, {"RetryableWriteError"}} {
				all = append(all, misfortune{name: fmt.Sprintf("%s%v %s", e.name, labels, when), code: e.code, labels: labels, after: after})
			}
		}
		all = append(all, misfortune{name: "closed " + when, after: after})
	}
	return all
}

func (m misfortune) interference() *mongotest.Interference {
	i := &mongotest.Interference{After: m.after}
	if m.code != 0 {
		i.Error = bson.D{{Key: "ok", Value: 0}, {Key: "code", Value: m.code}, {Key: "errmsg", Value: "an election, by the test"}}
		if len(m.labels) > 0 {
			i.Error = append(i.Error, bson.E{Key: "errorLabels", Value: m.labels})
		}
	}
	return i
}

// stroke are the commands that things happen to, by what they are to the
// program. What is in a transaction takes effect with its commit.
func stroke(c mongotest.Command) string {
	_, inTransaction := c.Body.Lookup("autocommit").BooleanOK()
	switch {
	case c.Name == "commitTransaction":
		return "commit"
	case !slices.Contains([]string{"insert", "update", "delete", "findAndModify", "bulkWrite"}, c.Name):
		return ""
	case inTransaction:
		return "in a transaction"
	}
	return c.Name
}

// fate has misfortunes happen, one after the other, each to every stroke that a
// server of this kind has.
type fate struct {
	mu sync.Mutex
	// ahead is what is to happen yet, to each stroke.
	ahead map[string][]misfortune
	skip  int
}

func newFate(transactions bool) *fate {
	f := &fate{ahead: map[string][]misfortune{}}
	strokes := []string{"insert", "update", "findAndModify", "delete", "in a transaction", "commit"}
	if !transactions {
		strokes = strokes[:4]
	}
	for i, s := range strokes {
		all := misfortunes()
		f.ahead[s] = slices.Concat(all[i:], all[:i]) // not the same to all at once
	}
	return f
}

// judge lets some commands pass, and then something happens to one.
func (f *fate) judge(c mongotest.Command) *mongotest.Interference {
	kind := stroke(c)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.skip++; f.skip < 7 || len(f.ahead[kind]) == 0 {
		return nil
	}
	f.skip = 0
	next := f.ahead[kind][0]
	f.ahead[kind] = f.ahead[kind][1:]
	return next.interference()
}

func (f *fate) done() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, left := range f.ahead {
		if len(left) > 0 {
			return false
		}
	}
	return true
}

// Answers of an election, and none, before and after each kind of command took
// effect, under load: nothing is done twice, nothing acknowledged is missing.
func TestAnswersThatAreLost(t *testing.T) {
	if testing.Short() {
		t.Skip("waits until the driver tries again, many times")
	}
	t.Parallel()
	eachMongoDB(t, func(t *testing.T, m *mongotest.Server) {
		s, between := onOneServer(t, m)
		work := begin(8, &book{t: t, servers: []*site{s}, org: "ledger", cluster: config.DefaultCluster, token: s.login("Ledger"), founding: 4})
		work.goesOn(t, "it begins")
		f := newFate(transactions(t, m))
		between.Judge(f.judge)
		await(t, "all has happened", f.done)
		between.Judge(nil)
		work.goesOn(t, "it goes on after")
		work.end(t, s)
	})
}

// onOneServer is a site with registry and cluster on one server, behind one
// middleman, and an organization in it.
func onOneServer(t *testing.T, m *mongotest.Server) (*site, *mongotest.Middleman) {
	t.Helper()
	between := mongotest.Between(t, m.Primary(t))
	s := open(t, func(c *config.Config) {
		c.Registry.URL = m.Through(between.Address, m.Database(t)) + impatient
		c.Clusters[config.DefaultCluster] = at(m.Through(between.Address, m.Database(t)) + impatient)
	})
	s.create("Ledger", config.DefaultCluster)
	return s, between
}

// The same by the server itself, through the failpoint that the tests of
// MongoDB's drivers use.
func TestElectionsByFailpoint(t *testing.T) {
	if testing.Short() {
		t.Skip("waits until the driver tries again, many times")
	}
	t.Parallel()
	eachMongoDB(t, func(t *testing.T, m *mongotest.Server) {
		if err := failpoint(t, m, "off", nil); err != nil {
			t.Skipf("the server has no failpoints: %v", err)
		}
		s, between := onOneServer(t, m)
		work := begin(8, &book{t: t, servers: []*site{s}, org: "ledger", cluster: config.DefaultCluster, token: s.login("Ledger"), founding: 4})
		work.goesOn(t, "it begins")
		targets := []bson.A{{"insert", "update", "findAndModify", "delete", "bulkWrite"}}
		if transactions(t, m) {
			targets = append(targets, bson.A{"commitTransaction"})
		}
		for _, commands := range targets {
			for _, what := range misfortunes() {
				if what.after {
					continue // it fails commands before they are done
				}
				failed := make(chan struct{}, 1)
				between.Hear(func(command string, answer bson.Raw) {
					code, _ := answer.Lookup("code").AsInt64OK()
					if slices.Contains(commands, any(command)) && code == int64(what.code) && (answer == nil) == (what.code == 0) {
						select {
						case failed <- struct{}{}:
						default:
						}
					}
				})
				data := bson.D{{Key: "failCommands", Value: commands}, {Key: "appName", Value: "tenantry"}}
				if what.code == 0 {
					data = append(data, bson.E{Key: "closeConnection", Value: true})
				} else {
					data = append(data, bson.E{Key: "errorCode", Value: what.code}, bson.E{Key: "errorLabels", Value: what.labels})
				}
				if err := failpoint(t, m, bson.D{{Key: "times", Value: 2}}, data); err != nil {
					t.Fatal(err)
				}
				<-failed
			}
		}
		if err := failpoint(t, m, "off", nil); err != nil {
			t.Fatal(err)
		}
		work.goesOn(t, "it goes on after")
		work.end(t, s)
	}, "--enable-test-commands")
}

// transactions reports whether a server has them.
func transactions(t *testing.T, m *mongotest.Server) bool {
	t.Helper()
	var hello struct {
		Set string `bson:"setName"`
	}
	if err := m.Client().Database("admin").RunCommand(t.Context(), bson.D{{Key: "hello", Value: 1}}).Decode(&hello); err != nil {
		t.Fatal(err)
	}
	return hello.Set != ""
}

// failpoint sets the server's failpoint failCommand.
func failpoint(t *testing.T, m *mongotest.Server, mode any, data bson.D) error {
	t.Helper()
	return m.Client().Database("admin").RunCommand(t.Context(), bson.D{
		{Key: "configureFailPoint", Value: "failCommand"}, {Key: "mode", Value: mode}, {Key: "data", Value: data}}).Err()
}
