package sqlite

import (
	"bufio"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// networkMagic are the f_type of statfs(2) of file systems that live on
// another machine.
var networkMagic = map[int64]string{
	0x6969: "nfs", 0x517b: "smb", 0xff534d42: "cifs", 0xfe534d42: "smb2", 0x5346414f: "afs",
	0x73757245: "coda", 0x00c36400: "ceph", 0x0bd00bd0: "lustre", 0x01161970: "gfs2",
	0x7461636f: "ocfs2", 0x01021997: "9p", 0x564c: "ncp", 0x47504653: "gpfs",
}

// fuseMagic says only that a program is behind it; its name is in mountinfo.
const fuseMagic = 0x65735546

// networkFuse are programs that fetch files from other machines.
var networkFuse = []string{"sshfs", "s3fs", "rclone", "gcsfuse", "glusterfs", "davfs", "ceph", "juicefs", "goofys", "blobfuse"}

// networkFilesystem names the network file system that the folder is on, or
// gives "".
func networkFilesystem(dir string) string {
	var s unix.Statfs_t
	if unix.Statfs(dir, &s) != nil {
		return ""
	}
	magic := int64(s.Type) & 0xffffffff //nolint:unconvert // its width differs between architectures
	if magic != fuseMagic {
		return networkMagic[magic]
	}
	kind := mountType(dir)
	for _, name := range networkFuse {
		if strings.Contains(kind, name) {
			return kind
		}
	}
	return ""
}

// mountType is the type of the deepest mount above dir, as mountinfo names it
// (proc(5)).
func mountType(dir string) string {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	best, kind := "", ""
	for lines := bufio.NewScanner(f); lines.Scan(); {
		before, after, ok := strings.Cut(lines.Text(), " - ")
		fields := strings.Fields(before)
		if !ok || len(fields) < 5 {
			continue
		}
		at := fields[4]
		under := dir == at || at == "/" || strings.HasPrefix(dir, at+"/")
		if under && len(at) >= len(best) {
			if types := strings.Fields(after); len(types) > 0 {
				best, kind = at, types[0]
			}
		}
	}
	return kind
}
