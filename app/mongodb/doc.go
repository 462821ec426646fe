// Package mongodb is the engine on MongoDB, and on what speaks its protocol:
// the registry in one database, tenant data in another, shared by any number
// of servers.
//
// What a server can do is found out at connect, by hello. A replica set and
// mongos have transactions; a standalone server has none, and there a redo
// record in one document stands in for them: see lock.go.
//
// A change of the registry is computed first, from documents as they were
// read, and then written in one go on the condition that each document still
// has the version that was read: see unit.go. Every document has a version
// that no other state of it ever had or will have.
//
// Tenant data is a collection for each organization, one for many, or one in a
// database of its own: see namespaces.go. A validator demands of every write a
// stamp that only who knows the newest of an organization has, so that a server
// which has not heard of a change is refused by the store and looks again: see
// fence.go.
//
// The files are named as in package sqlite.
package mongodb
