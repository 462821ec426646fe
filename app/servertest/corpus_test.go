package servertest_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"tenantry/app"
	"tenantry/app/config"
	"tenantry/app/mongodb/mongotest"
	"tenantry/app/servertest"
)

// kept is what comes back byte for byte.
var kept = map[string]string{
	"keys of a database":    `{"$set":{"$a.b":1,"a.b":{"$where":"x"}},"_id":2,"":3,"$":4,".":5,"a.$":6}`,
	"names of the envelope": `{"id":"x","org_id":"y","stamp":1,"deleted":true,"notes":2,"tag":3,"type":"z","revision":9,"data":{}}`,
	"order of keys":         `{"z":1,"a":2,"Z":3,"10":4,"9":5}`,
	"64 bits":               `{"a":[9223372036854775807,-9223372036854775808,9007199254740993,2147483648]}`,
	"spelling of numbers":   `{"a":[0,-0,-0.0,1.0,1.10,1e5,1E+5,5e-324,1e308,0.1,123456789.123456789123456789]}`,
	"spelling of text":      `{"a":"\u0041\/\n\u00e9é\ud83d\ude00😀\u2028"}`,
	"NUL in text":           `{"a":"b\u0000c"}`,
	"normal forms":          "{\"\u00e9\":1,\"e\u0301\":2}",
	"what looks like BSON":  `{"$oid":"6b06b7daf5bb320a1dd2829e","$numberLong":"1","$date":{"$numberLong":"0"},"$binary":{"base64":"","subType":"00"}}`,
	"null and empty":        `{"a":null,"b":{},"c":[],"d":""}`,
	"90 deep":               strings.Repeat(`{"a":`, 90) + "1" + strings.Repeat("}", 90),
	"a long text":           `{"a":"` + strings.Repeat("0123456789", 30_000) + `"}`,
	"many keys":             manyKeys(3000),
}

// refused is what no engine could give back, with the code that every one of
// them answers.
var refused = map[string][2]string{
	"1e400":                {`{"a":1e400}`, "number_out_of_range"},
	"65 bits":              {`{"a":9223372036854775808}`, "number_out_of_range"},
	"many digits":          {`{"a":-` + strings.Repeat("9", 400) + `}`, "number_out_of_range"},
	"a key twice":          {`{"a":1,"a":2}`, "body_duplicate_key"},
	"a key twice, escaped": {`{"a":1,"\u0061":2}`, "body_duplicate_key"},
	"NUL in a key":         {`{"a\u0000b":1}`, "invalid_key"},
	"half a pair":          {`{"a":"\ud800"}`, "body_not_json"},
	"half a pair, a key":   {`{"\udc00":1}`, "body_not_json"},
	"a surrogate in UTF-8": {"{\"a\":\"\xed\xa0\x80\"}", "body_not_utf8"},
	"invalid UTF-8":        {"{\"a\":\"\xff\"}", "body_not_utf8"},
	"91 deep":              {strings.Repeat(`{"a":`, 91) + "1" + strings.Repeat("}", 91), "too_deep"},
}

func manyKeys(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"k%d":%d`, (i*7919)%n, i)
	}
	return "{" + b.String()[1:] + "}"
}

// The same bytes come back from every engine in every isolation, however they
// were sent, or the same refusal.
func TestTheSameBytesFromEveryEngine(t *testing.T) {
	for name, s := range everyEngine(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := startOn(t, s)
			for _, isolation := range app.Isolations() {
				t.Run(string(isolation), func(t *testing.T) { corpus(t, server, string(isolation)) })
			}
		})
	}
}

// everyEngine are the servers for clusters; nil is for files.
func everyEngine(t *testing.T) map[string]*mongotest.Server {
	t.Helper()
	replicaSet := mongotest.Shared(t, mongotest.ReplicaSet)
	return map[string]*mongotest.Server{
		"sqlite": nil, "replica set": replicaSet, "standalone": mongotest.Shared(t, mongotest.Standalone),
		"little": replicaSet.Lacking(t, mongotest.Everything...),
	}
}

// startOn starts a server whose registry and cluster are databases of s.
func startOn(t *testing.T, s *mongotest.Server, change ...func(*config.Config)) *servertest.Server {
	t.Helper()
	return servertest.StartWith(t, servertest.Options{Configure: func(c *config.Config) {
		for _, f := range change {
			f(c)
		}
		if s == nil {
			return
		}
		c.Registry.URL = s.URL(s.Database(t))
		c.SealKey = base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("k"), 32))
		cluster := c.Clusters["default"]
		cluster.URL = s.URL(s.Database(t))
		c.Clusters["default"] = cluster
	}})
}

// corpus sends all of it to an organization of its own.
func corpus(t *testing.T, server *servertest.Server, isolation string) {
	c := caller{t: t, url: server.URL, token: server.Key}
	c.want(c.send("POST", "/v1/organizations", "", fmt.Sprintf(`{"name":"Corpus %[1]s","slug":"corpus-%[1]s","owner":{"email":"%[1]s@corpus.example","password":"correct horse battery"},`+
		`"placement":{"isolation":"%[1]s"}}`, isolation)), 201)
	in := c.send("POST", "/v1/auth/login", "", fmt.Sprintf(`{"email":"%s@corpus.example","password":"correct horse battery"}`, isolation))
	c.want(in, 200)
	c.token = in.AccessToken
	documents := "/v1/organizations/corpus-" + isolation + "/documents"
	for name, data := range kept {
		id := strings.NewReplacer(" ", "_", ",", "").Replace(name)
		at := documents + "/" + id
		c.same(name+": created", c.send("POST", documents, "", `{"id":"`+id+`","type":"`+id+`","data":`+data+`}`), 201, data)
		c.same(name+": read", c.send("GET", at, "", ""), 200, data)
		list := c.send("GET", documents+"?type="+id, "", "")
		if len(list.Items) != 1 || string(list.Items[0].Data) != data {
			t.Errorf("%s: listed as %.200s", name, list.body)
		}
		c.same(name+": emptied", c.send("PUT", at, "", `{"data":{"first":[-0]}}`), 200, `{"first":[-0]}`)
		c.same(name+": replaced", c.send("PUT", at, "", `{"data":`+data+`}`), 200, data)
		c.same(name+": read again", c.send("GET", at, "", ""), 200, data)
		c.same(name+": emptied again", c.send("PUT", at, "", `{"data":{"keep":1.0}}`), 200, `{"keep":1.0}`)
		patched := c.send("PATCH", at, "application/merge-patch+json", data)
		want := `{"keep":1.0,` + data[1:]
		if name == "null and empty" {
			want = `{"keep":1.0,"b":{},"c":[],"d":""}`
		}
		c.same(name+": patched", patched, 200, want)
		c.same(name+": read patched", c.send("GET", at, "", ""), 200, want)
	}
	c.want(c.send("POST", documents, "", `{"id":"there","type":"t","data":{"a":1}}`), 201)
	for name, one := range refused {
		data, code := one[0], one[1]
		for _, got := range []answer{
			c.send("POST", documents, "", `{"id":"refused","type":"t","data":`+data+`}`),
			c.send("PUT", documents+"/there", "", `{"data":`+data+`}`),
			c.send("PATCH", documents+"/there", "application/merge-patch+json", data),
		} {
			if got.status != 422 && got.status != 400 || got.Code != code && (len(got.Errors) != 1 || got.Errors[0].Code != code) {
				t.Errorf("%s: answered %d %.300s, want %s", name, got.status, got.body, code)
			}
		}
	}
	c.same("what refusals have left", c.send("GET", documents+"/there", "", ""), 200, `{"a":1}`)
	c.want(c.send("GET", documents+"/refused", "", ""), 404)
}

type caller struct {
	t          *testing.T
	url, token string
}

type answer struct {
	status      int
	body        []byte
	AccessToken string          `json:"access_token"`
	Data        json.RawMessage `json:"data"`
	Code        string          `json:"code"`
	Errors      []struct {
		Code string `json:"code"`
	} `json:"errors"`
	Items []struct {
		Data json.RawMessage `json:"data"`
	} `json:"items"`
}

func (c caller) send(method, path, contentType, body string) answer {
	c.t.Helper()
	request, err := http.NewRequestWithContext(c.t.Context(), method, c.url+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	if contentType == "" {
		contentType = "application/json"
	}
	request.Header.Set("Content-Type", contentType)
	request.Header.Set("Authorization", "Bearer "+c.token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	a := answer{status: response.StatusCode}
	if a.body, err = io.ReadAll(response.Body); err == nil && len(a.body) > 0 {
		err = json.Unmarshal(a.body, &a)
	}
	if err != nil {
		c.t.Fatalf("%s %s: %v\n%.300s", method, path, err, a.body)
	}
	return a
}

func (c caller) want(a answer, status int) {
	c.t.Helper()
	if a.status != status {
		c.t.Fatalf("answered %d %.300s, want %d", a.status, a.body, status)
	}
}

func (c caller) same(what string, a answer, status int, data string) {
	c.t.Helper()
	if a.status != status || string(a.Data) != data {
		c.t.Errorf("%s: answered %d %.300s\nwant %d and the data %.300s", what, a.status, a.body, status, data)
	}
}
