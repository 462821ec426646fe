package config

import (
	"regexp"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/connstring"
)

var storage = rule{`"sqlite:PATH" with a plain path (no //, ?, # or %), relative to the data folder, ` +
	`or "mongodb://HOST/DATABASE" or "mongodb+srv://HOST/DATABASE" with options that MongoDB's drivers know`, isStorage}

func isStorage(s string) bool {
	if IsMongoDB(s) {
		return isMongoDB(s)
	}
	path, sqlite := strings.CutPrefix(s, "sqlite:")
	return sqlite && strings.TrimSpace(path) != "" && !strings.HasPrefix(path, "//") && !strings.ContainsAny(path, "?#%\x00")
}

// IsMongoDB reports whether a storage URL is one of MongoDB's.
func IsMongoDB(url string) bool {
	return strings.HasPrefix(url, "mongodb://") || strings.HasPrefix(url, srvScheme)
}

const srvScheme = "mongodb+srv://"

// isMongoDB parses as the driver will. Where the hosts are in the DNS, which is
// not asked here, a host that stands for them takes their place.
func isMongoDB(s string) bool {
	if rest, srv := strings.CutPrefix(s, srvScheme); srv {
		if hosts := hostsOf(s); !isHost(hosts) {
			return false
		}
		s = "mongodb://" + rest
		s = regexp.MustCompile(`([?&])(srvServiceName|srvMaxHosts)=[^&]*&?`).ReplaceAllString(s, "$1")
	}
	parsed, err := connstring.ParseAndValidate(s)
	return err == nil && len(parsed.UnknownOptions) == 0 && !strings.ContainsRune(s, 0) &&
		!strings.ContainsAny(parsed.Database, `/\. "$*<>:|?`) && len(parsed.Database) < 64
}

// hostsOf is the part of a MongoDB URL that names its hosts, in an order of its
// own.
func hostsOf(url string) string {
	_, rest, _ := strings.Cut(url, "://")
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		rest = rest[at+1:]
	}
	hosts := strings.Split(strings.FieldsFunc(rest+"/", func(c rune) bool { return c == '/' || c == '?' })[0], ",")
	slices.Sort(hosts)
	return strings.ToLower(strings.Join(hosts, ","))
}

// placeOf is what two storage URLs have in common when they name one place. The
// database of a MongoDB URL without one is the given.
func (c Config) placeOf(url, database string) string {
	if !IsMongoDB(url) {
		return c.Path(url)
	}
	_, rest, _ := strings.Cut(url, "://")
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		rest = rest[at+1:]
	}
	rest, _, _ = strings.Cut(rest, "?")
	if _, named, _ := strings.Cut(rest, "/"); named != "" {
		database = named
	}
	return "mongodb://" + hostsOf(url) + "/" + database
}

// passwords are what no URL is shown with: what stands before its last "@", and
// the options that are secrets.
var passwords = []*regexp.Regexp{
	regexp.MustCompile(`(://).*(@)`),
	regexp.MustCompile(`(?i)((?:tlsCertificateKeyFilePassword|sslClientCertificateKeyPassword|proxyPassword|AWS_SESSION_TOKEN)[=:])[^&,]*()`),
}

// withoutPassword is a text as it may be shown, if it is a URL.
func withoutPassword(s string) string {
	for _, p := range passwords {
		s = p.ReplaceAllString(s, "${1}"+masked+"${2}")
	}
	return s
}

// WithoutSecret is a storage URL as it may be shown.
func WithoutSecret(url string) string { return withoutPassword(url) }

// RegistryAt is where the registry is, for people: without user and options.
func (c Config) RegistryAt() string {
	place := c.placeOf(c.Registry.URL, registryDatabase)
	if IsMongoDB(c.Registry.URL) {
		return place
	}
	return "sqlite:" + place
}
