package config

import (
	"fmt"
	"strings"
)

// crossCheck holds what no single key can. A value of the defaults never is
// the one to blame.
func (l *loader) crossCheck() {
	c := l.cfg
	for _, name := range c.ClusterNames() {
		if len(c.Clusters[name].Isolations) == 0 {
			l.wrong(clustersSection+"."+name+".isolations", "it must have at least one of: %s", strings.Join(isolations, ", "))
		}
	}
	l.checkPlacement()
	l.warnOfClusters()
	if c.Admin.Listen != "" && c.Admin.Listen == c.Listen && !strings.HasSuffix(c.Listen, ":0") {
		l.wrong("admin.listen", "it must differ from listen")
	}
	if c.Tokens.RefreshTTL < c.Tokens.AccessTTL {
		l.wrong("tokens.refresh_ttl", "it must not be shorter than tokens.access_ttl, %s", shortDuration(c.Tokens.AccessTTL))
	}
	places := map[string]string{}
	for _, name := range c.ClusterNames() {
		place := c.placeOf(c.Clusters[name].URL, clusterDatabase)
		if other, taken := places[place]; taken {
			l.wrong(clustersSection+"."+name+".url", "this is the place of clusters.%s", other)
		}
		places[place] = name
	}
	if name, taken := places[c.registryPlace()]; taken {
		l.wrong("registry.url", "this is the place of clusters.%s", name)
	}
	if c.CutoverTimeout <= 2*c.PlacementLease {
		l.warnings = append(l.warnings, fmt.Sprintf("cutover_timeout is %s, not more than twice placement_lease, %s: no relocation between servers will be done in time",
			shortDuration(c.CutoverTimeout), shortDuration(c.PlacementLease)))
	}
	if c.CutoverTimeout >= c.HTTP.RequestTimeout {
		l.warnings = append(l.warnings, fmt.Sprintf("cutover_timeout is %s, not less than http.request_timeout, %s: requests that a relocation holds will end first",
			shortDuration(c.CutoverTimeout), shortDuration(c.HTTP.RequestTimeout)))
	}
	if c.Password.BcryptCost < 10 {
		l.warnings = append(l.warnings, fmt.Sprintf("password.bcrypt_cost is %d: below 10 is for tests; passwords can be guessed", c.Password.BcryptCost))
	}
}

// wrong is a problem of a value that is in range by itself.
func (l *loader) wrong(key, format string, args ...any) {
	l.problem("%s: %s", l.told(key), fmt.Sprintf(format, args...))
}

// told is where a key was set, its name and its value.
func (l *loader) told(key string) string {
	k, _ := l.key(key)
	where := ""
	if origin := l.origins[key]; origin != "" {
		where = origin + ": "
	}
	return where + key + " = " + shown(k, k.value(&l.cfg).get())
}
