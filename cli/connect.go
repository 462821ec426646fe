package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/valyala/fasthttp/fasthttputil"
	"golang.org/x/sync/errgroup"

	"tenantry/app/client"
	"tenantry/app/config"
	"tenantry/web"
)

// target is the flags that say which server a command works on.
type target struct {
	url     string
	keyFile string
	// shares: a folder that the command holds for long can be reached by others
	// through its socket meanwhile, as with serve.
	shares bool
	// folder is the one that connect found no URL instead of.
	folder string
	// news tells, while one is connected, that somebody else came to hold the
	// folder.
	news <-chan string
}

func (t *target) flags(cmd *cobra.Command) {
	cmd.PersistentFlags().StringVar(&t.url, "url", "", "work on the server at this URL instead of the data folder (TENANTRY_URL)")
	cmd.PersistentFlags().StringVar(&t.keyFile, "key-file", "", "file with the operator key for --url (TENANTRY_KEY_FILE; or the key itself in TENANTRY_KEY)")
}

// remote makes a client of the URL that was given, or nil where none was. A
// folder that is named on the command line goes before a URL in the
// environment.
func (t *target) remote(cmd *cobra.Command, g *globals, getenv func(string) string) (*client.Client, error) {
	url, folder := t.url, cmd.Flags().Changed("data-dir")
	if url != "" && folder {
		return nil, usageError(cmd, errors.New("--url and --data-dir are two places to work on; take one away"))
	}
	if url == "" && !folder {
		url = getenv("TENANTRY_URL")
	}
	if url == "" {
		return nil, nil
	}
	key, err := t.key(getenv)
	if err != nil {
		return nil, fail(exitUsage, err, "")
	}
	c, err := client.New(url, client.Options{Token: key, UserAgent: "tenantry/" + g.build.Version})
	return c, fail(exitUsage, err, "")
}

func (t *target) key(getenv func(string) string) (string, error) {
	key, file := getenv("TENANTRY_KEY"), t.keyFile
	if file == "" {
		if file = getenv("TENANTRY_KEY_FILE"); key != "" && file != "" {
			return "", errors.New("TENANTRY_KEY and TENANTRY_KEY_FILE are both set; take one away")
		}
	}
	if file == "" {
		return key, nil
	}
	raw, err := os.ReadFile(filepath.Clean(file))
	if err != nil {
		return "", fmt.Errorf("the operator key cannot be read: %w", err)
	}
	return strings.TrimSpace(string(raw)), nil
}

// connect gives a client of the server that --url names; else of the one that
// holds the data folder; else of one inside this process, which holds the
// folder until closed. create makes a data folder where there is none.
func (t *target) connect(cmd *cobra.Command, g *globals, create bool) (c *client.Client, closed func(), err error) {
	c, err = t.remote(cmd, g, os.Getenv)
	if err != nil {
		return nil, nil, err
	}
	if c != nil {
		return c, c.Close, nil
	}
	cfg, err := g.load(cmd)
	if err != nil {
		return nil, nil, err
	}
	folder, err := filepath.Abs(cfg.DataDir)
	if err != nil {
		return nil, nil, fail(exitDataFolder, err, "")
	}
	if _, err := os.Stat(folder); errors.Is(err, os.ErrNotExist) && !create {
		return nil, nil, fail(exitDataFolder, fmt.Errorf("there is no data folder %s", folder),
			`Name the folder with --data-dir, or a server with --url. "tenantry serve" makes a new folder.`)
	}
	l := newLink(g, cmd, cfg, folder, t.shares)
	if err := l.open(); err != nil {
		l.close()
		return nil, nil, err
	}
	if c, err = client.Trusted(client.Options{Name: folder, Dial: l.dial, UserAgent: "tenantry/" + g.build.Version}); err != nil {
		l.close()
		return nil, nil, err
	}
	t.folder, t.news = filepath.Clean(cfg.DataDir), l.news
	return c, func() { c.Close(); l.close() }, nil
}

// running gives a client of the server that holds the folder, or nil where
// none answers.
func (g *globals) running(ctx context.Context, folder string) *client.Client {
	c, err := client.Socket(folder, client.Options{UserAgent: "tenantry/" + g.build.Version})
	if err != nil {
		return nil
	}
	if _, err := c.Ready(ctx); err != nil {
		c.Close()
		return nil
	}
	return c
}

// insideServer serves a data folder in this process.
type insideServer struct {
	listener *fasthttputil.InmemoryListener
	close    func()
}

// inside serves the folder in this process, for this command alone unless it
// shares.
func (g *globals) inside(ctx context.Context, cfg config.Config, cmd *cobra.Command, shares bool) (*insideServer, error) {
	log := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	a, err := openAppliance(ctx, cfg, g.build.Version, log)
	if err != nil {
		return nil, err
	}
	options := serverOptions(cfg, log)
	options.Temporary = true
	server, err := newServer(a, options, g.build.Version)
	if err != nil {
		return nil, errors.Join(fail(exitConfiguration, err, ""), a.Close())
	}
	listener := fasthttputil.NewInmemoryListener()
	listeners := []net.Listener{listener}
	if shares {
		if socket, err := listenSocket(a.Folder); err == nil {
			listeners = append(listeners, socket)
		} else {
			log.Warn("other commands cannot reach this folder meanwhile", "error", err)
		}
	}
	var serving errgroup.Group
	for _, l := range listeners {
		serving.Go(func() error { return server.ServeSocket(l) })
	}
	served := make(chan error, 1)
	go func() { served <- serving.Wait() }()
	return &insideServer{listener: listener, close: func() {
		shutDown(server, served, log)
		if err := a.Close(); err != nil {
			log.Error("closing the data folder", "error", err)
		}
	}}, nil
}

// shutDown ends a server of this process, and waits for it.
func shutDown(server *web.Server, served <-chan error, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := errors.Join(server.Shutdown(ctx), <-served); err != nil {
		log.Warn("ending the server", "error", err)
	}
}
