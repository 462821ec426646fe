package config

import (
	"strings"
	"time"

	"tenantry/app"
)

// Key is one thing to decide.
type Key struct {
	// Name is dotted: section and key.
	Name    string
	Default any
	// Secret values are never shown, and may come from a file that TENANTRY_…_FILE
	// names.
	Secret bool
	// Storage is a URL that may have a password: it is shown without, and may
	// come from such a file, too.
	Storage bool
	// Help says what it is and when to change it. One line of text a line.
	Help  string
	value func(*Config) value
}

// Allowed says what the key may be: "4 to 16".
func (k Key) Allowed() string { return k.value(&Config{}).allowed }

// fromFile reports whether TENANTRY_…_FILE may name a file with the value.
func (k Key) fromFile() bool { return k.Secret || k.Storage }

// FlagName is the key's flag of "tenantry serve", without the dashes. Secrets
// have none: the list of processes would show them.
func (k Key) FlagName() string {
	if k.Secret {
		return ""
	}
	return strings.NewReplacer(".", "-", "_", "-").Replace(k.Name)
}

const (
	day     = 24 * time.Hour
	forever = 100 * 365 * day
)

// Keys are all keys but those of clusters, in the order of the example file.
func Keys() []Key {
	return []Key{
		{Name: "listen", Default: "127.0.0.1:8000", value: func(c *Config) value { return textValue(&c.Listen, address) },
			Help: "Address and port of the API. The default is reached from this machine alone;\nuse \":8000\" for every address, best behind a proxy that ends TLS."},
		{Name: "data_dir", Default: "./tenantry-data", value: func(c *Config) value { return textValue(&c.DataDir, someText) },
			Help: "Everything that is stored. On a local disk: network file systems break locks.\nRelative to the folder that the program is started in: name the whole path where a\nsupervisor starts it."},
		{Name: "public_url", Default: "", value: func(c *Config) value { return textValue(&c.PublicURL, optional(httpURL)) },
			Help: "How clients reach the API, such as \"https://orgs.example.com\". Links are made from\nit; empty, links are paths."},
		{Name: "signup", Default: SignupOpen, value: func(c *Config) value { return oneOf(&c.Signup, SignupOpen, SignupClosed) },
			Help: "Who creates organizations: \"open\" is anybody, \"closed\" is the operator alone, for\nproducts that sell accounts, or whose back end creates them."},
		{Name: "seal_key", Default: "", Secret: true, value: func(c *Config) value { return textValue(&c.SealKey, optional(sealKey)) },
			Help: "32 bytes in base64 that seal the signing keys. Empty: made once, as seal.key in the\ndata folder. Better given by TENANTRY_SEAL_KEY_FILE than here."},
		{Name: "trusted_proxies", Default: []string{}, value: func(c *Config) value { return listValue(&c.TrustedProxies, network) },
			Help: "Networks of proxies whose X-Forwarded-For is believed, such as [\"10.0.0.0/8\"].\nWith none, nobody's is, and the limits count the proxy as one client."},
		{Name: "allow_network_filesystem", Default: false, value: func(c *Config) value { return boolValue(&c.AllowNetworkFilesystem) },
			Help: "Take a data folder on a network file system at your own risk. Only where you know that\nits locks work and that one server alone uses it."},

		{Name: "deletion_retention", Default: "0s", value: func(c *Config) value { return durationValue(&c.DeletionRetention, 0, forever) },
			Help: "How long an operator can restore a deleted organization, such as \"720h\". Until then\nits names stay taken; 0s removes its data at once."},
		{Name: "placement_lease", Default: "1s", value: func(c *Config) value { return durationValue(&c.PlacementLease, 200*time.Millisecond, time.Minute) },
			Help: "How late a server may hear of what another one on the same MongoDB registry changed\n(a suspension, a password, a revoked key). One that has heard nothing for longer asks the\nregistry each time. A file as registry has one server, and nothing to hear."},
		{Name: "operation_wait", Default: "5s", value: func(c *Config) value { return durationValue(&c.OperationWait, 10*time.Millisecond, time.Minute) },
			Help: "How long a request waits for the end of what it began. What takes longer goes on, and\nthe request is answered 202 with the operation."},

		{Name: "cutover_timeout", Default: "5s", value: func(c *Config) value { return durationValue(&c.CutoverTimeout, 500*time.Millisecond, 10*time.Minute) },
			Help: "How long writes to an organization are held while it is switched to another place. What\ncannot be switched in that time goes on where it was, and is tried again later. More than\ntwice placement_lease; less than http.request_timeout, or the request ends first."},
		{Name: "relocation_grace", Default: "1h", value: func(c *Config) value { return durationValue(&c.RelocationGrace, 0, forever) },
			Help: "How long the old place of a relocated organization is kept, and going back to it loses\nnothing. Both places take room until then; 0s removes the old one at once."},
		{Name: "relocation_documents_per_second", Default: int64(0), value: func(c *Config) value {
			return intValue(&c.RelocationDocumentsPerSecond, 0, 10_000_000)
		},
			Help: "At most this many documents a second are copied for one relocation; 0: no limit. Set it\nwhere moving one organization slows the others down."},
		{Name: "relocation_bytes_per_second", Default: "0B", value: func(c *Config) value {
			return sizeValue(&c.RelocationBytesPerSecond, 0, 1<<40)
		},
			Help: "At most this much data a second is copied for one relocation, such as \"8MiB\"; \"0B\": no\nlimit. Both limits may be set; the lower one holds."},

		{Name: "registry.url", Default: "sqlite:registry.db", Storage: true, value: func(c *Config) value { return textValue(&c.Registry.URL, storage) },
			Help: "The master database: a file, relative to the data folder, or a MongoDB database that\nseveral servers can share (without a name in the URL: \"tenantry\"). A file elsewhere, for\ninstance on a faster disk, is held by this server alone as well, and is a part of the\nbackup. See docs/mongodb.md; better given by TENANTRY_REGISTRY_URL_FILE than here when it\nhas a password."},

		{Name: "placement.cluster", Default: "", value: func(c *Config) value { return textValue(&c.Placement.Cluster, optional(clusterName)) },
			Help: "The cluster of new organizations. Empty: the one named default, else the first in the\nfile. Organizations that exist stay where they are."},
		{Name: "placement.clusters", Default: []string{}, value: func(c *Config) value { return listValue(&c.Placement.Clusters, clusterName) },
			Help: "Several clusters in the place of placement.cluster: a new organization goes to the one of\nthem with the fewest organizations that works and has room."},
		{Name: "placement.isolation", Default: string(app.IsolationCollection), value: func(c *Config) value { return oneOf(&c.Placement.Isolation, isolations...) },
			Help: "How new organizations are kept apart: \"collection\" is a collection for each, \"shared\" one\ncollection for many, \"database\" a database, or a file, for each. With \"collection\", those\nfor whom max_namespaces has no room are \"shared\"."},
		{Name: "placement.rules", Default: []string{}, value: func(c *Config) value { return listValue(&c.Placement.Rules, placementRule) },
			Help: "Other places by a field of the metadata that an organization is created with, such as\n[\"region=eu -> cluster=eu-1|eu-2\", \"plan=enterprise -> isolation=database\"]. The first rule\nthat matches and names a cluster decides the cluster (of several, as placement.clusters\ndoes), the first that names an isolation the isolation. With signup open, whoever signs up\nchooses their metadata, and so may choose by these rules."},

		{Name: "password.bcrypt_cost", Default: int64(12), value: func(c *Config) value { return intValue(&c.Password.BcryptCost, 4, 16) },
			Help: "The work of one password hash, as a power of two. Each step doubles the time of a\nsign-in, and of guessing. Below 10 is for tests."},
		{Name: "password.workers", Default: int64(0), value: func(c *Config) value { return intValue(&c.Password.Workers, 0, 64) },
			Help: "How many passwords are hashed at once. 0: half of the processors. More of them answer\nmore sign-ins a second, and leave less for other requests."},
		{Name: "password.max_wait", Default: "4s", value: func(c *Config) value { return durationValue(&c.Password.MaxWait, 100*time.Millisecond, time.Minute) },
			Help: "A sign-in that would wait longer for its turn is refused with Retry-After. Raise it\nwhere clients would rather wait; keep it below http.request_timeout."},

		{Name: "tokens.issuer", Default: "tenantry", value: func(c *Config) value { return textValue(&c.Tokens.Issuer, someText) },
			Help: "The iss of access tokens, which your own services check. Give each installation its\nown, such as its public URL; a change ends every access token."},
		{Name: "tokens.audience", Default: "tenantry", value: func(c *Config) value { return textValue(&c.Tokens.Audience, someText) },
			Help: "The aud of access tokens: the services that they are for. A change ends every access\ntoken."},
		{Name: "tokens.access_ttl", Default: "15m", value: func(c *Config) value { return durationValue(&c.Tokens.AccessTTL, time.Second, day) },
			Help: "How long an access token lives. This server ends it sooner when its session ends;\nservices that verify it offline cannot know."},
		{Name: "tokens.refresh_ttl", Default: "720h", value: func(c *Config) value { return durationValue(&c.Tokens.RefreshTTL, time.Minute, forever) },
			Help: "How long a sign-in lives without being refreshed. Shorter means that people sign in\nmore often, and that a stolen refresh token is worth less."},
		{Name: "tokens.key_rotation", Default: "720h", value: func(c *Config) value { return durationValue(&c.Tokens.KeyRotation, time.Hour, forever) },
			Help: "The age at which a signing key is replaced. The old one verifies as long as tokens of\nit live. Services that verify offline read the\nkeys again when they meet one they do not know."},

		{Name: "http.body_limit", Default: "1MiB", value: func(c *Config) value { return sizeValue(&c.HTTP.BodyLimit, 1<<10, 64<<20) },
			Help: "The largest body of a request. Raise it for large documents; each request in flight may\nhold as much in memory."},
		{Name: "http.header_limit", Default: "16KiB", value: func(c *Config) value { return sizeValue(&c.HTTP.HeaderLimit, 4<<10, 1<<20) },
			Help: "The largest head of a request: its first line and its headers. Raise it where a proxy\nadds many."},
		{Name: "http.read_timeout", Default: "30s", value: func(c *Config) value { return durationValue(&c.HTTP.ReadTimeout, time.Second, time.Hour) },
			Help: "How long a request may take to arrive. Raise it for large bodies over slow lines."},
		{Name: "http.write_timeout", Default: "30s", value: func(c *Config) value { return durationValue(&c.HTTP.WriteTimeout, time.Second, time.Hour) },
			Help: "How long an answer may take to leave. Raise it for slow lines."},
		{Name: "http.idle_timeout", Default: "60s", value: func(c *Config) value { return durationValue(&c.HTTP.IdleTimeout, time.Second, time.Hour) },
			Help: "How long a connection is kept between requests. Above what a proxy in front keeps it\nfor, or the proxy sends a request into a connection that is just closing."},
		{Name: "http.request_timeout", Default: "15s", value: func(c *Config) value { return durationValue(&c.HTTP.RequestTimeout, time.Second, time.Hour) },
			Help: "How long the work for one request may take. What takes longer is answered 503 timeout."},
		{Name: "http.shutdown_timeout", Default: "20s", value: func(c *Config) value { return durationValue(&c.HTTP.ShutdownTimeout, time.Second, time.Hour) },
			Help: "How long a stop waits for requests in flight. A supervisor must wait longer before it\nkills: Kubernetes 30 s, the unit of our packages 45 s."},

		{Name: "rate_limit.enabled", Default: true, value: func(c *Config) value { return boolValue(&c.RateLimit.Enabled) },
			Help: "Bound the requests that come without a token, for each client address (IPv6: /64).\nSwitch it off only behind a proxy that does so, or for a load test."},
		{Name: "rate_limit.requests", Default: int64(120), value: func(c *Config) value { return intValue(&c.RateLimit.Requests, 1, 1_000_000) },
			Help: "How many within the window, at once or spread. Raise it where many people share one\naddress, or where your own back end signs people in; for that, trusted_proxies may be it."},
		{Name: "rate_limit.window", Default: "1m", value: func(c *Config) value { return durationValue(&c.RateLimit.Window, time.Second, day) },
			Help: "The window that rate_limit.requests is counted in."},
		{Name: "rate_limit.max_addresses", Default: int64(100_000), value: func(c *Config) value { return intValue(&c.RateLimit.MaxAddresses, 1_000, 10_000_000) },
			Help: "How many addresses are remembered, at about 100 bytes each. Raise it under attack from\nmore of them."},

		{Name: "cors.origins", Default: []string{}, value: func(c *Config) value { return listValue(&c.CORS.Origins, origin) },
			Help: "Web pages that may call the API, such as [\"https://app.example.com\"]. Needed when a\npage of another origin calls it from the browser; a back end needs none."},

		{Name: "compat.enabled", Default: true, value: func(c *Config) value { return boolValue(&c.Compat.Enabled) },
			Help: "The routes of the first system: /org/…, /admin/login, /health. Switch them off when no\nclient uses them."},
		{Name: "docs.enabled", Default: true, value: func(c *Config) value { return boolValue(&c.Docs.Enabled) },
			Help: "The documentation page /docs. The contract /openapi.json is there in any case."},

		{Name: "admin.listen", Default: "", value: func(c *Config) value { return textValue(&c.Admin.Listen, optional(address)) },
			Help: "Address and port of /metrics, such as \"127.0.0.1:8001\". Empty: off. It asks nobody who\nthey are: keep it from the outside."},
		{Name: "admin.pprof", Default: false, value: func(c *Config) value { return boolValue(&c.Admin.Pprof) },
			Help: "Add Go's profiles, /debug/pprof/, to the admin listener. For looking into a slow server."},

		{Name: "log.level", Default: "info", value: func(c *Config) value { return oneOf(&c.Log.Level, "debug", "info", "warn", "error") },
			Help: "The least important that is logged: debug, info, warn or error. \"debug\" also tells of\nbroken connections."},
		{Name: "log.format", Default: "auto", value: func(c *Config) value { return oneOf(&c.Log.Format, "auto", "text", "json") },
			Help: "How a line is written: \"text\" or \"json\"; \"auto\" is text on a terminal and JSON\nelsewhere."},
		{Name: "log.requests", Default: "errors", value: func(c *Config) value { return oneOf(&c.Log.Requests, "errors", "all", "none") },
			Help: "Which requests are logged: \"errors\" are those answered with 5xx, \"all\", or \"none\".\nFaults of the server are logged in any case. \"all\" costs a line for each request."},
	}
}
