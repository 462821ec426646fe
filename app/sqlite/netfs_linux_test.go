package sqlite

import (
	"strings"
	"testing"
)

func TestNetworkFilesystems(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		magic   uint32 // as statfs(2) lists them
		mounted string
		want    string
	}{
		"nfs":               {magic: 0x6969, want: "nfs"},
		"cifs":              {magic: 0xff534d42, want: "cifs"},
		"smb2":              {magic: 0xfe534d42, want: "smb2"},
		"smb":               {magic: 0x517b, want: "smb"},
		"ceph":              {magic: 0x00c36400, want: "ceph"},
		"lustre":            {magic: 0x0bd00bd0, want: "lustre"},
		"9p":                {magic: 0x01021997, want: "9p"},
		"gfs2":              {magic: 0x01161970, want: "gfs2"},
		"ocfs2":             {magic: 0x7461636f, want: "ocfs2"},
		"afs":               {magic: 0x5346414f, want: "afs"},
		"ext4":              {magic: 0xef53},
		"xfs":               {magic: 0x58465342},
		"btrfs":             {magic: 0x9123683e},
		"zfs":               {magic: 0x2fc12fc1},
		"tmpfs":             {magic: 0x01021994},
		"overlay":           {magic: 0x794c7630},
		"f2fs":              {magic: 0xf2f52010},
		"sshfs":             {magic: fuseMagic, mounted: "fuse.sshfs", want: "fuse.sshfs"},
		"rclone":            {magic: fuseMagic, mounted: "fuse.rclone", want: "fuse.rclone"},
		"gluster":           {magic: fuseMagic, mounted: "fuse.glusterfs", want: "fuse.glusterfs"},
		"ntfs through fuse": {magic: fuseMagic, mounted: "fuseblk"},
		"virtiofs":          {magic: fuseMagic, mounted: "virtiofs"},
		"unknown fuse":      {magic: fuseMagic},
	} {
		if got := classify(tc.magic, func() string { return tc.mounted }); got != tc.want {
			t.Errorf("%s is taken for %q, want %q", name, got, tc.want)
		}
	}
}

func TestMountType(t *testing.T) {
	t.Parallel()
	const mountinfo = `22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:26 / /srv rw - xfs /dev/sdb rw
31 30 0:27 / /srv/data rw - fuse.sshfs host:/data rw
32 31 0:28 / /srv/data/local rw shared:5 master:2 - tmpfs tmpfs rw
33 22 0:29 / /with\040blank rw - fuse.rclone remote: rw
34 22 0:30 / /srv/over rw - ext4 /dev/sdc rw
35 34 0:31 / /srv/over rw - fuse.s3fs bucket rw
nonsense
`
	for dir, want := range map[string]string{
		"/": "ext4", "/home": "ext4", "/srv": "xfs", "/srvx": "ext4", "/srv/data": "fuse.sshfs",
		"/srv/data/a/b": "fuse.sshfs", "/srv/data/local/x": "tmpfs", "/srv/database": "xfs",
		"/with blank/x": "fuse.rclone", "/srv/over/y": "fuse.s3fs",
	} {
		if got := mountType(strings.NewReader(mountinfo), dir); got != want {
			t.Errorf("%s is on %q, want %q", dir, got, want)
		}
	}
}
