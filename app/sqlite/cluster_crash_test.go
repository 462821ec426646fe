package sqlite

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"tenantry/app"
)

// The child of TestClusterSurvivesKill writes until it is killed, and says on
// its output what was acknowledged.
const crashDirectory = "TENANTRY_TEST_CLUSTER_CRASH_DIR"

func TestClusterCrashChild(t *testing.T) {
	dir := os.Getenv(crashDirectory)
	if dir == "" {
		t.Skip("only as the child of TestClusterSurvivesKill")
	}
	c := openTestCluster(t, dir, ClusterOptions{Shards: 4})
	ctx := context.Background()
	var out sync.Mutex
	say := func(format string, args ...any) {
		out.Lock()
		defer out.Unlock()
		fmt.Printf(format+"\n", args...)
	}
	var wait sync.WaitGroup
	for n := range 16 {
		wait.Go(func() {
			for i := 0; ; i++ {
				ns := located(t, c, fmt.Sprintf("org-%d-%s", n, strings.ReplaceAll(string(app.NewID[app.OrganizationID]()), "-", "")))
				if c.Provision(ctx, ns) != nil {
					return
				}
				say("ACK provision %s %s %s", ns.Organization, ns.Placement.Database, ns.Placement.Collection)
				for j := range 3 {
					id := app.DocumentID(fmt.Sprintf("doc-%d", j))
					if c.InsertDocument(ctx, ns, testDocument(id)) != nil {
						return
					}
					say("ACK insert %s %s %s %s", ns.Organization, ns.Placement.Database, ns.Placement.Collection, id)
				}
				if i%4 == 3 {
					if c.Drop(ctx, ns) != nil {
						return
					}
					say("ACK drop %s", ns.Organization)
				}
			}
		})
	}
	wait.Wait()
}

func TestClusterSurvivesKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	provisioned := map[app.OrganizationID]app.Namespace{}
	documents := map[app.OrganizationID][]app.DocumentID{}
	dropped := map[app.OrganizationID]bool{}
	for round := range 4 { // each on what the one before left behind
		child := exec.Command(os.Args[0], "-test.run", "^TestClusterCrashChild$", "-test.v")
		child.Env = append(os.Environ(), crashDirectory+"="+dir)
		stdout, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		kill := time.AfterFunc(time.Minute, func() { _ = child.Process.Kill() }) // whatever happens
		acknowledged := 0
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			f := strings.Fields(lines.Text())
			if len(f) > 0 && f[0] == "ACK" {
				if acknowledged++; acknowledged == 350+37*round {
					_ = child.Process.Kill()
				}
			}
			switch {
			case len(f) == 5 && f[1] == "provision":
				provisioned[app.OrganizationID(f[2])] = app.Namespace{Organization: app.OrganizationID(f[2]), Placement: app.Placement{
					Cluster: "default", Isolation: app.IsolationCollection, Database: f[3], Collection: f[4], Generation: 1}}
			case len(f) == 6 && f[1] == "insert":
				documents[app.OrganizationID(f[2])] = append(documents[app.OrganizationID(f[2])], app.DocumentID(f[5]))
			case len(f) == 3 && f[1] == "drop":
				dropped[app.OrganizationID(f[2])] = true
			}
		}
		_ = child.Wait() // killed
		kill.Stop()
		everythingAcknowledgedIsThere(t, dir, provisioned, documents, dropped)
	}
	if len(provisioned) < 20 || len(dropped) == 0 {
		t.Fatalf("the children did too little to prove anything: %d provisioned, %d dropped", len(provisioned), len(dropped))
	}
}

func everythingAcknowledgedIsThere(t *testing.T, dir string, provisioned map[app.OrganizationID]app.Namespace,
	documents map[app.OrganizationID][]app.DocumentID, dropped map[app.OrganizationID]bool) {
	t.Helper()
	ctx := context.Background()
	c := openTestCluster(t, dir, ClusterOptions{Shards: 4})
	defer closeTestCluster(t, c)
	known := map[app.OrganizationID]bool{}
	list, err := c.Namespaces(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, ns := range list {
		known[ns.Organization] = true
		if dropped[ns.Organization] {
			t.Errorf("%s was dropped and is there", ns.Organization)
		}
		// Also those that were never acknowledged are whole.
		docs, err := c.ListDocuments(ctx, ns, app.DocumentQuery{Limit: 10})
		if err != nil {
			t.Fatalf("namespace %s: %v", ns.Organization, err)
		}
		have := map[app.DocumentID]bool{}
		for _, d := range docs {
			have[d.ID] = true
		}
		for _, id := range documents[ns.Organization] {
			if !have[id] {
				t.Errorf("document %s of %s was acknowledged and is gone", id, ns.Organization)
			}
		}
	}
	lost := 0
	for id := range provisioned {
		// The last drop of a child may have happened without being acknowledged.
		if !known[id] && !dropped[id] {
			lost++
			if len(documents[id]) < 3 {
				t.Errorf("namespace %s was acknowledged and is gone", id)
			}
		}
	}
	if lost > 16*4 {
		t.Errorf("%d namespaces are gone, more than could be in the middle of a drop", lost)
	}
	tablesMatchNamespaces(t, dir)
}
