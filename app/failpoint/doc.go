// Package failpoint makes a process kill itself, as SIGKILL does, at one write
// to a store. It is there in builds with the tag "failpoint" alone, which only
// the tests make; in all others its functions give back what they are given.
//
// FAILPOINT says at which write, in words such as
//
//	only=acme from=BeginRename level=command at=3 when=before
//
// The writes of a level are counted from 0, from the first call of the
// registry's method from= on (without it: from the start of the process):
//
//	port     the methods by which operations change registry and clusters
//	command  the commands that are sent to MongoDB within those methods
//
// The process dies when=before the write at= is begun, or when=after it has been
// answered; at= may also be the name of a method. Without it, it never does.
// With only=, the process sees no open operation but those of the organization
// with this slug, so that what other dead processes have left stays for whom it
// is meant.
//
// hurry=250ms is how long what a dead server holds, such as a lease, must stand
// still until it is taken from it, and how often open operations are looked
// for.
package failpoint
