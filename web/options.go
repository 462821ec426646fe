package web

import (
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// LogRequests says which requests are logged.
type LogRequests string

// Which requests are logged. A fault of the server is logged in any case.
const (
	LogErrors LogRequests = "errors" // those answered with 5xx (the default)
	LogAll    LogRequests = "all"
	LogNone   LogRequests = "none"
)

// Options is how the server behaves. Zero fields take the defaults.
type Options struct {
	// PublicURL is how clients reach the server, such as
	// "https://orgs.example.com"; links are made from it. Without it links are
	// paths. The Host header is never believed.
	PublicURL string
	// Temporary says in the server's status that it ends with the command that
	// it is inside of.
	Temporary bool
	// BodyLimit is the most bytes of a request's body; default 1 MiB.
	BodyLimit int
	// HeaderLimit is the most bytes of a request's line and headers; default
	// 16 KiB.
	HeaderLimit int
	// ReadTimeout bounds the reading of one request (default 30 s),
	// WriteTimeout the writing of one answer (30 s), IdleTimeout a connection
	// between requests (60 s).
	ReadTimeout, WriteTimeout, IdleTimeout time.Duration
	// RequestTimeout bounds the work for one request; default 15 s.
	RequestTimeout time.Duration
	RateLimit      RateLimit
	// CORSOrigins are origins such as "https://app.example.com" whose pages may
	// call the API; default none.
	CORSOrigins []string
	// TrustedProxies may say whom they forward for; default nobody.
	TrustedProxies []netip.Prefix
	// CompatEnabled serves the routes of the first system.
	CompatEnabled bool
	// DocsEnabled serves the documentation page.
	DocsEnabled bool
	// Profiles adds Go's profiles to the admin listener.
	Profiles    bool
	LogRequests LogRequests
	Logger      *slog.Logger
	// Metrics is where the server's figures are registered; default a registry
	// of its own.
	Metrics *prometheus.Registry
	// ShutdownTimeout bounds the shutdown that begins when the context of Serve
	// ends; default 20 s.
	ShutdownTimeout time.Duration
}

// RateLimit bounds the requests that come without a token, for each client
// address (IPv6: for each /64).
type RateLimit struct {
	Enabled bool
	// Requests within Window, all at once or spread; default 60 in a minute.
	Requests int
	Window   time.Duration
	// MaxAddresses is how many are remembered; default 100,000.
	MaxAddresses int
}

func (o Options) withDefaults() (Options, error) {
	fill(&o.BodyLimit, 1<<20)
	fill(&o.HeaderLimit, 16<<10)
	fill(&o.ReadTimeout, 30*time.Second)
	fill(&o.WriteTimeout, 30*time.Second)
	fill(&o.IdleTimeout, time.Minute)
	fill(&o.RequestTimeout, 15*time.Second)
	fill(&o.ShutdownTimeout, 20*time.Second)
	fill(&o.RateLimit.Requests, 60)
	fill(&o.RateLimit.Window, time.Minute)
	fill(&o.RateLimit.MaxAddresses, 100_000)
	fill(&o.LogRequests, LogErrors)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Metrics == nil {
		o.Metrics = prometheus.NewRegistry()
	}
	if o.PublicURL != "" {
		u, err := url.Parse(o.PublicURL)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
			return o, fmt.Errorf("public_url: %q is not a URL such as https://orgs.example.com", o.PublicURL)
		}
		for len(o.PublicURL) > 0 && o.PublicURL[len(o.PublicURL)-1] == '/' {
			o.PublicURL = o.PublicURL[:len(o.PublicURL)-1]
		}
	}
	for _, origin := range o.CORSOrigins {
		u, err := url.Parse(origin)
		if err != nil || u.Scheme == "" || u.Host == "" || origin != u.Scheme+"://"+u.Host {
			return o, fmt.Errorf("cors_origins: %q is not an origin such as https://app.example.com", origin)
		}
	}
	switch o.LogRequests {
	case LogErrors, LogAll, LogNone:
	default:
		return o, fmt.Errorf("log requests: %q is not errors, all or none", o.LogRequests)
	}
	return o, nil
}

func fill[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
