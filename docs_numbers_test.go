package main

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"tenantry/app/config"
	"tenantry/app/documents"
	"tenantry/app/tenancy"
	"tenantry/cli"
)

// Every key that is no secret is a flag of serve.
func TestKeysAreFlags(t *testing.T) {
	serve, _, err := cli.New(cli.Build{}).Find([]string{"serve"})
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range config.Keys() {
		if name := k.FlagName(); name != "" && serve.Flags().Lookup(name) == nil && serve.InheritedFlags().Lookup(name) == nil {
			t.Errorf("serve has no flag --%s for %s", name, k.Name)
		}
	}
}

// The numbers that pages tell are those of the program.
func TestNumbersAreTrue(t *testing.T) {
	d := config.Default()
	seconds := func(d time.Duration) string { return fmt.Sprintf("%.0f s", d.Seconds()) }
	wants := map[string][]string{
		"README.md": {
			fmt.Sprintf("body is at most %d MiB (`[http] body_limit`", d.HTTP.BodyLimit>>20),
			fmt.Sprintf("a document's data at most %d MiB", documents.MaxData>>20),
			fmt.Sprintf("an address gets %d requests a minute", d.RateLimit.Requests),
			fmt.Sprintf("A list has at most %d items a page", documents.MaxLimit),
			"(http://" + d.Listen + ")", "(`" + d.DataDir + "`)",
			fmt.Sprintf("The access token lives for %.0f minutes", d.Tokens.AccessTTL.Minutes()),
		},
		"docs/operation.md": {
			fmt.Sprintf("body %d MiB (`http.body_limit`", d.HTTP.BodyLimit>>20),
			fmt.Sprintf("line and headers %d KiB, %s of work", d.HTTP.HeaderLimit>>10, seconds(d.HTTP.RequestTimeout)),
			fmt.Sprintf("%d requests a minute for each address", d.RateLimit.Requests),
			fmt.Sprintf("A document: %d MiB of data", documents.MaxData>>20),
			fmt.Sprintf("at most %d items a page", tenancy.MaxLimit),
			fmt.Sprintf("`http.shutdown_timeout` at most (%s)", seconds(d.HTTP.ShutdownTimeout)),
			fmt.Sprintf("cluster of %d shards", d.Clusters["default"].Shards),
		},
		"docs/api.md": {
			fmt.Sprintf("`access_token` (%.0f minutes), `refresh_token` (%.0f days)", d.Tokens.AccessTTL.Minutes(), d.Tokens.RefreshTTL.Hours()/24),
			fmt.Sprintf("`limit` is 1 to %d, %d without it", documents.MaxLimit, documents.DefaultLimit),
		},
	}
	all := pages(t)
	for page, sentences := range wants {
		text := strings.Join(strings.Fields(all[page]), " ")
		for _, want := range sentences {
			if !strings.Contains(text, want) {
				t.Errorf("%s does not say %q", page, want)
			}
		}
	}
	if d.RateLimit.Window != time.Minute {
		t.Errorf("requests are counted within %s, and pages say a minute", d.RateLimit.Window)
	}
}

// The page on operation has the exit codes as the program explains them.
func TestExitCodesAreTrue(t *testing.T) {
	topic, _, err := cli.New(cli.Build{}).Find([]string{"exit-codes"})
	if err != nil {
		t.Fatal(err)
	}
	page := strings.Join(strings.Fields(pages(t)["docs/operation.md"]), " ")
	codes := regexp.MustCompile(`(?m)^  (\d)  (.*(?:\n {5}.*)*)`).FindAllStringSubmatch(topic.Long, -1)
	if len(codes) < 5 {
		t.Fatalf("found %d exit codes", len(codes))
	}
	for _, m := range codes {
		if row := "| " + m[1] + " | " + strings.Join(strings.Fields(m[2]), " ") + " |"; !strings.Contains(page, row) {
			t.Errorf("docs/operation.md has no row %q", row)
		}
	}
}
