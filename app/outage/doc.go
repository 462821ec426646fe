// Package outage has no code. Its tests run whole servers under load while the
// database, or the way to it, fails: faults of the network by Toxiproxy,
// elections as the tests of MongoDB's drivers make them, answers that get lost
// after a write took effect, the database's process killed again and again; and
// while an organization is moved, what moves it is killed, cut off, or finds no
// room.
//
// Each writer keeps a book of what it was answered, and in the end the book is
// compared with what is there: what was acknowledged is there, once; what was
// refused is there wholly or not at all; no request took longer than it may.
package outage
