// Package registrymove moves a registry to another place or engine, while no
// server works on it.
//
// Both registries have a mark ([app.RegistryMark]), and the marks of one try have
// one name. At each moment at most one of the two is open to servers:
//
//	                     old registry   new registry
//	                     open           open (and empty)
//	1  mark the new one  open           receiving
//	2  close the old one moving         receiving
//	3  copy, compare     moving         receiving
//	4  give the old up   moved          receiving
//	5  open the new one  moved          open
//
// A server that opens a registry with any mark but open is refused, and told why.
// A process that dies leaves one of these lines behind, and [Move.Run] goes on
// from there: before 4 the old registry is the whole truth, and everything is
// copied again over what is there; after 4 the new one is, and only its mark is
// left to change. Before 4 one can also go back: [Cancel] opens the old one. What
// fails without dying does that by itself.
//
// Where the old registry is MongoDB, servers may be running on it. Step 2 stops
// them: see SetMark.
//
// The two engines share no format but the entries of the ports: what is read
// from one is written to the other by noun and page, and compared byte by byte
// afterwards. Moving back is moving: the registry that was left takes everything
// again, from the one that followed it alone.
package registrymove
