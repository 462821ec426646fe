package outage_test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"tenantry/app/mongodb/mongotest"
	"tenantry/app/servertest"
	"tenantry/cli"
)

// asCommand makes the test binary the program itself, so that what is killed is
// a real process of what is tested.
const asCommand = "TENANTRY_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) == "1" {
		os.Exit(cli.Main(cli.Build{Version: "0.0.0-test"}))
	}
	os.Exit(m.Run())
}

// process is a site in a process of its own, which can be killed.
type process struct {
	*site
	env  []string
	args []string
	log  *servertest.Output
	cmd  *exec.Cmd
	done chan struct{}
}

// run starts a server in a folder of its own and waits until it serves.
func run(t *testing.T, env ...string) *process {
	t.Helper()
	port, err := mongotest.FreePort() // it comes back there
	if err != nil {
		t.Fatal(err)
	}
	address := "127.0.0.1:" + port
	home := t.TempDir()
	p := &process{
		site: &site{t: t, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}, Server: &servertest.Server{URL: "http://" + address}},
		env: append([]string{asCommand + "=1", "HOME=" + home, "PATH=" + os.Getenv("PATH"),
			"TENANTRY_PASSWORD_BCRYPT_COST=4", "TENANTRY_RATE_LIMIT_ENABLED=false"}, env...),
		args: []string{"serve", "--listen", address, "--data-dir", filepath.Join(home, "data")},
	}
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			said := p.log.String()
			t.Logf("the server at %s said last:\n%s", address, said[max(0, len(said)-8<<10):])
		}
	})
	p.start()
	p.key = operatorKey.FindString(p.log.String())
	return p
}

var operatorKey = regexp.MustCompile(`tnt_op_\S+`)

// start starts it, again if need be, and waits until it serves.
func (p *process) start() {
	p.t.Helper()
	self, err := os.Executable()
	if err != nil {
		p.t.Fatal(err)
	}
	p.cmd, p.log, p.done = exec.Command(self, p.args...), &servertest.Output{}, make(chan struct{})
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = p.env, p.log, p.log
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	go func(cmd *exec.Cmd, done chan struct{}) {
		_ = cmd.Wait() // it is killed
		close(done)
	}(p.cmd, p.done)
	await(p.t, "it serves", func() bool {
		select {
		case <-p.done:
			p.t.Fatalf("serve ended:\n%s", p.log)
		default:
		}
		// What it printed before it served comes through a pipe.
		a, err := p.try("GET", "/readyz", "", nil)
		return err == nil && a.Status == http.StatusOK && strings.Contains(p.log.String(), "serving")
	})
}

// kill ends it at once.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	select {
	case <-p.done:
	case <-time.After(time.Minute):
		p.t.Error("it does not die")
	}
}
