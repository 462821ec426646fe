package config

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Who may create organizations.
const (
	SignupOpen   = "open"   // anybody
	SignupClosed = "closed" // operators
)

// DefaultCluster is the cluster there is when none is configured.
const DefaultCluster = "default"

// Config is everything that can be configured. A Config that [Load] returned
// without an error has been checked: every field is in range. What a field is
// for stands in [Keys], beside its default.
type Config struct {
	Listen                 string // "host:port"
	DataDir                string // relative to the working directory
	PublicURL              string // or ""
	Signup                 string // SignupOpen or SignupClosed
	SealKey                string // 32 bytes in base64, or "": the data folder has one
	TrustedProxies         []string
	AllowNetworkFilesystem bool
	DeletionRetention      time.Duration // 0: what is deleted is removed at once
	OperationWait          time.Duration
	PlacementLease         time.Duration // how late other servers' changes may be heard of
	CutoverTimeout         time.Duration // how long writes are held
	RelocationGrace        time.Duration // 0: what was left is dropped at once

	RelocationDocumentsPerSecond int   // 0: no limit
	RelocationBytesPerSecond     int64 // 0: no limit

	Registry  Registry
	Clusters  map[string]Cluster // by name; there is at least one
	Placement Placement
	Password  Password
	Tokens    Tokens
	HTTP      HTTP
	RateLimit RateLimit
	CORS      CORS
	Compat    Switch
	Docs      Switch
	Admin     Admin
	Log       Log

	firstCluster string // as the file names them
	// mentions are what the placement says of clusters, to be checked when all
	// clusters are known.
	mentions []mention
}

// Registry is the master database.
type Registry struct {
	URL string // "sqlite:PATH", relative to the data folder, or one of MongoDB's
}

// Cluster is a place that stores tenant data.
type Cluster struct {
	URL    string // "sqlite:DIR", relative to the data folder, or one of MongoDB's
	Shards int    // files that new organizations are spread over

	Isolations    []string // that organizations may have there; at least one
	MaxNamespaces int      // collections and databases; 0: no limit
}

// Password says how passwords are hashed.
type Password struct {
	BcryptCost int
	Workers    int // 0: as many as suit the machine
	MaxWait    time.Duration
}

// Tokens says how sign-ins are issued.
type Tokens struct {
	Issuer, Audience                   string
	AccessTTL, RefreshTTL, KeyRotation time.Duration
}

// HTTP bounds what one request may cost; limits are in bytes.
type HTTP struct {
	BodyLimit, HeaderLimit                                 int64
	ReadTimeout, WriteTimeout, IdleTimeout, RequestTimeout time.Duration
	ShutdownTimeout                                        time.Duration
}

// RateLimit bounds the requests of an address on routes without a token.
type RateLimit struct {
	Enabled      bool
	Requests     int
	Window       time.Duration
	MaxAddresses int
}

// CORS names the web pages that may call the API.
type CORS struct{ Origins []string }

// Switch turns something on.
type Switch struct{ Enabled bool }

// Admin is the listener for metrics and profiles.
type Admin struct {
	Listen string // "host:port", or "" for none
	Pprof  bool
}

// Log says what is logged and how.
type Log struct{ Level, Format, Requests string }

// Default is the configuration of who configures nothing.
func Default() Config {
	c := Config{
		Clusters:     map[string]Cluster{DefaultCluster: defaultCluster(DefaultCluster)},
		firstCluster: DefaultCluster,
	}
	for _, k := range Keys() {
		k.value(&c).mustSet(k.Default)
	}
	return c
}

func defaultCluster(name string) Cluster {
	return Cluster{URL: "sqlite:clusters/" + name, Shards: 64, Isolations: append([]string{}, isolations...)}
}

// ClusterNames are the names of all clusters, sorted.
func (c Config) ClusterNames() []string { return slices.Sorted(maps.Keys(c.Clusters)) }

// Path is the file or folder of a "sqlite:" URL: relative ones are in the data
// folder.
func (c Config) Path(url string) string {
	path := strings.TrimPrefix(url, "sqlite:")
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(c.DataDir, path)
}
