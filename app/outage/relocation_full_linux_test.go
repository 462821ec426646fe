package outage_test

import (
	"os"
	"path/filepath"
	"testing"

	"tenantry/app/servertest"
)

// The disk of the files that an organization moves to has no room left.
func TestTheTargetsDiskIsFull(t *testing.T) {
	t.Parallel()
	disk := servertest.Disk(t, "size=32m")
	noRoom(t, "sqlite:"+filepath.Join(disk, "cluster"), func() (free func()) {
		filler := filepath.Join(disk, "filler")
		f, err := os.Create(filler)
		if err != nil {
			t.Fatal(err)
		}
		for err == nil { // until there is no room, to the last byte
			_, err = f.Write(make([]byte, 4096))
		}
		_ = f.Close()
		return func() {
			if err := os.Remove(filler); err != nil {
				t.Error(err)
			}
		}
	})
}
