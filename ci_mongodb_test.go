package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"tenantry/app/mongodb/mongotest"
)

// What the public CI runs against MongoDB in containers, run here against the
// server of the tests in the place of a container: the script, its choice of
// tests, killing and starting. What it takes of MongoDB itself, a replica set
// above all, is seen only there.
func TestTheScriptForMongoDB(t *testing.T) {
	if testing.Short() {
		t.Skip("runs tests of other packages")
	}
	for _, program := range []string{"bash", "setsid"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("there is no %s", program)
		}
	}
	mongotest.Shared(t, mongotest.Standalone) // it is installed then
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	t.Cleanup(func() { // where the script was killed itself
		pids, _ := filepath.Glob(filepath.Join(folder, "*.pid"))
		for _, pid := range pids {
			_ = exec.Command("bash", "-c", "kill -KILL $(cat "+pid+")").Run()
		}
	})
	port, err := mongotest.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(folder, "bin")
	if err := os.MkdirAll(bin, 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(root, ".ci", "testdata", "docker"), filepath.Join(bin, "docker")); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), "bash", append([]string{".ci/mongodb"}, args...)...)
		cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "MONGODB_PORT="+port, "DOCKER_FOLDER="+folder,
			"DOCKER_SERVER="+filepath.Join(root, ".cache", "mongotest", "bin", "secantusd-py"), "GOFLAGS=-v")
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	out, err := run("standalone", "8.0", "DatabaseIsKilled|VerifyOnMongoDB|NewerSchema")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{
		"--- PASS: TestVerifyOnMongoDB/given", "--- PASS: TestTheDatabaseIsKilledUnderLoad/given", "--- PASS: TestNewerSchemaIsRefused/given",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("it did not say %q:\n%s", want, out)
		}
	}
	for _, no := range []string{"/standalone", "/replica-set", "TestRefusedAtConnect"} {
		if strings.Contains(out, no+" ") {
			t.Errorf("it ran %s too:\n%s", no, out)
		}
	}
	calls, err := os.ReadFile(filepath.Join(folder, "calls"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"mongo:8.0 mongod", "kill tenantry-" + port, "start tenantry-" + port, "rm --force"} {
		if !strings.Contains(string(calls), want) {
			t.Errorf("it did not ask for %q:\n%s", want, calls)
		}
	}
	if out, err := run("standalone", "8.0", "NoSuchTest"); err == nil || !strings.Contains(out, "no test") {
		t.Errorf("no tests are no failure: %v\n%s", err, out)
	}
	if out, err := run("sharded", "8.0"); err == nil || !strings.Contains(out, "usage") {
		t.Errorf("an unknown topology: %v\n%s", err, out)
	}
}
