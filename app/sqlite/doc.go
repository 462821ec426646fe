// Package sqlite is the embedded engine: the registry in one file, and clusters
// of shard files that hold a table for each organization.
//
// All writes to a file go through one writer, which commits everything that
// waits as one durable group (WAL, synchronous=FULL); reads have connections
// of their own. The process that holds a data folder is alone in it.
package sqlite
