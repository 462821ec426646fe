// Package documents is what can be done with tenant data.
//
// What is promised of a document's data, on every engine: it is a JSON object
// (RFC 8259) that comes back with the same keys in the same order, the same
// text, and the same numbers. Whatever some engine could not give back so is
// refused when it is written: see [Compact].
package documents
