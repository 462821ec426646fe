// Package client is the typed Go client of the HTTP API. The command line, the
// smoke routine and the terminal UI all speak to the core through it, be the
// server on another machine, behind the data folder's Unix socket, or inside
// the same process.
//
// A failure that the server told of is an [*Error]; a server that does not
// answer is an [*UnreachableError]. Both answer errors.Is for the kinds of
// package app.
package client
