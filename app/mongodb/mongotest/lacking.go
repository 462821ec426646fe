package mongotest

import (
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// Lack is something that MongoDB has, and some that speak its protocol have not.
type Lack string

const (
	Transactions   Lack = "transactions"
	ChangeStreams  Lack = "change streams"
	Validators     Lack = "validators"
	PartialIndexes Lack = "partial indexes"
	Indexes        Lack = "indexes"
	Joins          Lack = "joins"
	BulkWrite      Lack = "bulkWrite"
	RetryableWrite Lack = "retryable writes"
)

// Everything is all that one can do without.
var Everything = []Lack{Transactions, ChangeStreams, Validators, PartialIndexes, Joins, BulkWrite}

// answers are the codes that servers refuse a command with that has something
// they lack. MongoDB's own, where it is a kind of server of its that lacks it.
var answers = map[Lack]int32{
	Transactions: 20, ChangeStreams: 40573, Validators: 115, PartialIndexes: 238,
	Indexes: 59, Joins: 40324, BulkWrite: 59, RetryableWrite: 20,
}

// asksFor reports whether a command needs it.
func (l Lack) asksFor(c Command) bool {
	name, command := c.Name, c.Body
	if len(c.Documents) > 0 && name == "createIndexes" {
		command = c.Documents[0]
	}
	has := func(key ...string) bool { _, err := command.LookupErr(key...); return err == nil }
	mentions := func(words ...string) bool {
		for _, word := range words {
			if strings.Contains(command.String(), `"`+word+`"`) {
				return true
			}
		}
		return false
	}
	switch l {
	case Transactions:
		return has("autocommit") // each command of one has it
	case ChangeStreams:
		return name == "aggregate" && mentions("$changeStream")
	case Validators:
		return name == "collMod" || name == "create" && has("validator")
	case PartialIndexes:
		return name == "createIndexes" && mentions("partialFilterExpression")
	case Indexes:
		return name == "createIndexes"
	case Joins:
		return name == "aggregate" && mentions("$lookup", "$unionWith")
	case BulkWrite:
		return name == "bulkWrite"
	case RetryableWrite:
		return has("txnNumber") && !has("autocommit")
	}
	return false
}

// Lacking is a server like this one that lacks some things: what needs them is
// refused on the way. It ends with the test.
func (s *Server) Lacking(t testing.TB, things ...Lack) *Server {
	t.Helper()
	m := Between(t, s.Address())
	m.Judge(func(c Command) *Interference {
		for _, lack := range things {
			if lack.asksFor(c) {
				return &Interference{Error: bson.D{{Key: "ok", Value: 0.0}, {Key: "code", Value: answers[lack]},
					{Key: "errmsg", Value: "this server has no " + string(lack)}}}
			}
		}
		return nil
	})
	return &Server{Kind: s.Kind, URI: "mongodb://" + m.Address + "/?directConnection=true", client: s.client, own: s.own}
}
