package appliance_test

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"tenantry/app/appliance"
	"tenantry/app/config"
)

func configured(t *testing.T, environ ...string) config.Config {
	t.Helper()
	cfg, _, err := config.Load(config.Options{Environ: append(environ, "TENANTRY_PASSWORD_BCRYPT_COST=4")})
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// open opens an appliance; closing it twice is closing it once.
func open(t *testing.T, cfg config.Config) (closing func() error, err error) {
	t.Helper()
	a, err := appliance.Open(t.Context(), cfg, "test", slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	closing = sync.OnceValue(a.Close)
	t.Cleanup(func() { _ = closing() })
	return closing, nil
}

// Servers with data folders of their own must not write one registry or one
// cluster, by whatever path they came to it.
func TestFoldersOutsideAreHeldToo(t *testing.T) {
	t.Parallel()
	shared := t.TempDir()
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(shared, link); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	for name, test := range map[string]struct{ key, path string }{
		"registry": {"TENANTRY_REGISTRY_URL=sqlite:", filepath.Join("r", "registry.db")},
		"cluster":  {"TENANTRY_CLUSTERS_DEFAULT_URL=sqlite:", "c"},
	} {
		t.Run(name, func(t *testing.T) {
			first, err := open(t, configured(t, "TENANTRY_DATA_DIR="+t.TempDir(), test.key+filepath.Join(shared, test.path)))
			if err != nil {
				t.Fatal(err)
			}
			second := configured(t, "TENANTRY_DATA_DIR="+t.TempDir(), test.key+filepath.Join(link, test.path))
			var held *appliance.HeldError
			if _, err := open(t, second); !errors.As(err, &held) {
				t.Fatalf("a second server opened the same %s: %v", name, err)
			}
			if err := first(); err != nil {
				t.Fatal(err)
			}
			third, err := open(t, second)
			if name == "registry" {
				// It opens now, and finds that the seal key is not the one of this registry.
				if err == nil || errors.As(err, &held) {
					t.Fatalf("with another seal key than the registry's: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatalf("after the first is closed: %v", err)
			}
			if err := third(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// A cluster that a link in the data folder leads out with is another folder.
func TestLinkOutOfTheDataFolder(t *testing.T) {
	t.Parallel()
	shared := t.TempDir()
	linked := func() config.Config {
		dir := t.TempDir()
		if err := os.Symlink(shared, filepath.Join(dir, "clusters")); err != nil {
			t.Skip("no symbolic links here:", err)
		}
		return configured(t, "TENANTRY_DATA_DIR="+dir)
	}
	if _, err := open(t, linked()); err != nil {
		t.Fatal(err)
	}
	var held *appliance.HeldError
	if _, err := open(t, linked()); !errors.As(err, &held) {
		t.Fatalf("a second server opened the same cluster: %v", err)
	}
}
