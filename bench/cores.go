package main

import "runtime"

// processors is how many there were before this program tied itself to one.
var processors = func() func() int {
	n := runtime.NumCPU()
	return func() int { return n }
}()

// cores are the processors that the two sides of a measurement have to
// themselves, as far as this program can see to it: a server that may take
// both would be measured together with its client.
type cores struct {
	// pinned is false where there are not two, or the system cannot tie a
	// process to one.
	pinned         bool
	server, client int
}
