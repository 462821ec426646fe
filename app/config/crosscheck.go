package config

import (
	"fmt"
	"path/filepath"
	"strings"
)

// crossCheck holds what no single key can. A value of the defaults never is
// the one to blame.
func (l *loader) crossCheck() {
	c := l.cfg
	if name := c.Placement.Cluster; name != "" {
		if _, there := c.Clusters[name]; !there {
			l.wrong("placement.cluster", "there is no such cluster; there are: %s", strings.Join(c.ClusterNames(), ", "))
		}
	}
	if c.Admin.Listen != "" && c.Admin.Listen == c.Listen && !strings.HasSuffix(c.Listen, ":0") {
		l.wrong("admin.listen", "it must differ from listen")
	}
	if c.Tokens.RefreshTTL < c.Tokens.AccessTTL {
		l.wrong("tokens.refresh_ttl", "it must not be shorter than tokens.access_ttl, %s", shortDuration(c.Tokens.AccessTTL))
	}
	places := map[string]string{}
	for _, name := range c.ClusterNames() {
		place := c.placeOf(c.Clusters[name].URL, "tenantry_data")
		if other, taken := places[place]; taken {
			l.wrong(clustersSection+"."+name+".url", "this is the place of clusters.%s", other)
		}
		places[place] = name
	}
	registry := c.placeOf(c.Registry.URL, "tenantry")
	if !IsMongoDB(c.Registry.URL) {
		registry = filepath.Dir(registry)
	}
	if name, taken := places[registry]; taken {
		l.wrong("registry.url", "this is the place of clusters.%s", name)
	}
	if c.Password.BcryptCost < 10 {
		l.warnings = append(l.warnings, fmt.Sprintf("password.bcrypt_cost is %d: below 10 is for tests; passwords can be guessed", c.Password.BcryptCost))
	}
}

// wrong is a problem of a value that is in range by itself.
func (l *loader) wrong(key, format string, args ...any) {
	k, _ := l.key(key)
	where := ""
	if origin := l.origins[key]; origin != "" {
		where = origin + ": "
	}
	l.problem("%s%s = %s: %s", where, key, shown(k, k.value(&l.cfg).get()), fmt.Sprintf(format, args...))
}
