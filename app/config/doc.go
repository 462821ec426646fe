// Package config says how Tenantry is configured and reads it: one TOML file,
// the environment over it, flags over both.
//
// Every key stands once in the table of keys.go and its sections: its name,
// the field of [Config] it sets, what it may hold, and what a person should
// know of it. Loading, checking, showing, config.example.toml and
// docs/configuration.md are all made from that table.
//
// The user's file is read and never written.
package config
