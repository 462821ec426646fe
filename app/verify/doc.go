// Package verify is the smoke routine: it drives a server through its API as
// clients do, from the creation of an organization to its deletion, and says
// of each promise whether it holds. It needs no right but to create
// organizations, and it removes what it made.
package verify
