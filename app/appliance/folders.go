package appliance

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"tenantry/app/config"
	"tenantry/app/sqlite"
)

// openFolders takes the data folder, and every other folder that the
// configuration puts databases in, for this process alone: two servers whose
// data folders differ must not share a registry or a cluster either.
func (a *Appliance) openFolders(cfg config.Config) error {
	opts := sqlite.FolderOptions{AllowNetworkFilesystem: cfg.AllowNetworkFilesystem}
	folder, err := sqlite.OpenFolder(cfg.DataDir, opts)
	if err != nil {
		return err
	}
	a.folders = append(a.folders, folder)
	a.Folder, cfg.DataDir = folder.Path(), folder.Path()
	var dirs []string
	if !config.IsMongoDB(cfg.Registry.URL) {
		dirs = append(dirs, filepath.Dir(cfg.Path(cfg.Registry.URL)))
	}
	for _, name := range cfg.ClusterNames() {
		if !config.IsMongoDB(cfg.Clusters[name].URL) {
			dirs = append(dirs, cfg.Path(cfg.Clusters[name].URL))
		}
	}
	for _, dir := range dirs {
		held, err := a.holds(dir)
		if err != nil {
			return err
		}
		if held {
			continue
		}
		if folder, err = sqlite.OpenFolder(dir, opts); err != nil {
			return err
		}
		a.folders = append(a.folders, folder)
	}
	return nil
}

// holds reports whether dir, which is made where there is none, lies in the
// data folder or is held already. It goes by where links lead.
func (a *Appliance) holds(dir string) (bool, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return false, fmt.Errorf("make the folder %s: %w", dir, err)
	}
	leads, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return false, fmt.Errorf("the folder %s: %w", dir, err)
	}
	for i, f := range a.folders {
		held, err := filepath.EvalSymlinks(f.Path())
		if err != nil {
			return false, fmt.Errorf("the folder %s: %w", f.Path(), err)
		}
		const separator = string(filepath.Separator)
		inside := i == 0 && strings.HasPrefix(leads, strings.TrimSuffix(held, separator)+separator)
		if leads == held || inside {
			return true, nil
		}
	}
	return false, nil
}
