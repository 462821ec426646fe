package cli_test

import (
	"fmt"
	"net/http"
	"testing"
)

// When a folder's organizations are spread over more files than before, those that
// exist move to the files that they would be in now, as to any other place.
func TestMoreShardsAreARelocation(t *testing.T) {
	data := dataDir(t)
	before := serve(t, data, "TENANTRY_CLUSTERS_DEFAULT_SHARDS=1", "TENANTRY_SIGNUP=open")
	const names = 6
	for i := range names {
		name := fmt.Sprintf("acme-%d", i)
		before.create(name)
		token := before.login(name)
		for n := range 5 {
			before.want(http.StatusCreated, "POST", "/v1/organizations/"+name+"/documents", token,
				fmt.Sprintf(`{"type":"n","id":"d%d","data":{"of":%d}}`, n, i))
		}
	}
	key := before.Key
	if err := before.stop(); err != nil {
		t.Fatal(err)
	}

	s := serve(t, data, "TENANTRY_CLUSTERS_DEFAULT_SHARDS=64", "TENANTRY_SIGNUP=open")
	moved := 0
	for i := range names {
		org := fmt.Sprintf("/v1/organizations/acme-%d", i)
		token := s.login(fmt.Sprintf("acme-%d", i))
		begun, err := s.try("POST", org+"/relocate", key, `{"isolation":"collection"}`)
		if err != nil {
			t.Fatal(err)
		}
		if begun.Text("code") == "already_there" { // one in 64 is
			continue
		}
		moved++
		operation := "/v1/operations/" + begun.Text("id")
		s.reaches(operation, key, "switched")
		s.want(http.StatusCreated, "POST", org+"/documents", token, `{"type":"n","id":"later","data":{}}`)
		if i%2 == 0 {
			s.want(http.StatusOK, "POST", operation+"/revert", key, nil)
			s.reaches(operation, key, "reverted")
		} else {
			s.want(http.StatusOK, "POST", operation+"/complete", key, nil)
			s.reaches(operation, key, "completed")
		}
		at := s.want(http.StatusOK, "GET", org+"/placement", key, nil)
		if at.JSON["documents"] != 6.0 || (at.Text("database") == "shard-00") != (i%2 == 0) {
			t.Errorf("%s: %s", org, at.Body)
		}
		s.want(http.StatusOK, "GET", org+"/documents/d4", token, nil)
		s.want(http.StatusOK, "GET", org+"/documents/later", token, nil)
	}
	if moved == 0 {
		t.Error("nobody moved")
	}
	found := s.want(http.StatusOK, "POST", "/v1/doctor", key, `{}`)
	if list, is := found.JSON["findings"].([]any); !is || len(list) > 0 {
		t.Error("doctor:", found.Body)
	}
}

// reaches waits for the state of an operation.
func (s *server) reaches(operation, key, state string) {
	s.t.Helper()
	waitUntil(s.t, func() bool { return s.want(http.StatusOK, "GET", operation, key, nil).Text("state") == state })
}
