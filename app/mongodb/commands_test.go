package mongodb

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.mongodb.org/mongo-driver/v2/event"
)

// actionsOf are the actions that commands need, as MongoDB's manual says in
// "Privilege Actions" and on the page of each command. The commands are those
// that registries and clusters send; one more of them needs a line here, and
// its action in the role of docs/mongodb.md.
var actionsOf = map[string]map[string][]string{
	"registry": {
		"find": {"find"}, "count": {"find"}, "aggregate": {"find"}, "$changeStream": {"find", "changeStream"},
		"insert": {"insert"}, "update": {"update", "insert"}, "delete": {"remove"}, "findAndModify": {"find", "update", "insert"},
		"bulkWrite": {"insert", "update", "remove"}, "create": {"createCollection"}, "createIndexes": {"createIndex"}, "collMod": {"collMod"},
		"dbStats": {"dbStats"},
	},
	"cluster": {
		"find": {"find"}, "count": {"find"}, "aggregate": {"find"},
		"insert": {"insert"}, "update": {"update", "insert"}, "delete": {"remove"}, "findAndModify": {"find", "update"},
		"bypassDocumentValidation": {"bypassDocumentValidation"},
		"create":                   {"createCollection"}, "createIndexes": {"createIndex"}, "collMod": {"collMod"}, "drop": {"dropCollection"},
		"dropIndexes":      {"dropIndex"},
		"renameCollection": {"renameCollectionSameDB"}, "listCollections": {"listCollections"}, "dbStats": {"dbStats"},
	},
}

// ofEverybody are commands that need no action.
var ofEverybody = []string{"hello", "ping", "buildInfo", "listDatabases", "getMore", "killCursors", "endSessions", "commitTransaction", "abortTransaction"}

// ofItsClock are the ways to ask a server for its time, or to let it act by that.
var ofItsClock = []string{"$$NOW", "$$CLUSTER_TIME", "$currentDate", "expireAfterSeconds", "startAtOperationTime", "atClusterTime", "afterClusterTime"}

// sentCommands are all that the registries and clusters of the tests sent.
type sentCommands struct {
	mu  sync.Mutex
	all map[string]map[string]bool
	// clock is a command whose outcome hangs on the clock of the database's server.
	clock string
}

var sentByTests = sentCommands{all: map[string]map[string]bool{"registry": {}, "cluster": {}}}

func (s *sentCommands) add(by string, e *event.CommandStartedEvent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all[by][e.CommandName] = true
	for _, word := range ofItsClock {
		if bytes.Contains(e.Command, []byte(word)) {
			s.clock = fmt.Sprintf("the %s of a %s asks for the server's time: %s", e.CommandName, by, word)
		}
	}
	if _, err := e.Command.LookupErr("bypassDocumentValidation"); err == nil {
		s.all[by]["bypassDocumentValidation"] = true
	}
	if e.CommandName == "aggregate" && strings.Contains(e.Command.String(), "$changeStream") {
		s.all[by]["$changeStream"] = true
	}
}

func TestMain(m *testing.M) {
	// The tests wait for the two servers most of the time.
	flag.Parse()
	if atOnce := flag.Lookup("test.parallel"); atOnce.Value.String() == atOnce.DefValue {
		_ = atOnce.Value.Set("8")
	}
	code := m.Run()
	if sentByTests.clock != "" {
		fmt.Println(sentByTests.clock)
		code = max(code, 1)
	}
	for by, commands := range sentByTests.all {
		for name := range commands {
			if actionsOf[by][name] == nil && !slices.Contains(ofEverybody, name) {
				fmt.Printf("a %s sends the command %s: say in commands_test.go which actions it needs, and give them to the role in docs/mongodb.md\n", by, name)
				code = max(code, 1)
			}
		}
	}
	os.Exit(code)
}
