package sqlite

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// networkMagic are the f_type of statfs(2) of file systems that live on
// another machine.
var networkMagic = map[uint32]string{
	0x6969: "nfs", 0x517b: "smb", 0xff534d42: "cifs", 0xfe534d42: "smb2", 0x5346414f: "afs", 0x6b414653: "afs",
	0x73757245: "coda", 0x00c36400: "ceph", 0x0bd00bd0: "lustre", 0x01161970: "gfs2",
	0x7461636f: "ocfs2", 0x01021997: "9p", 0x564c: "ncp", 0x47504653: "gpfs", 0x19830326: "beegfs",
	0x20030528: "pvfs2", 0x013111a8: "ibrix",
}

// fuseMagic says only that a program is behind it; its name is in mountinfo.
const fuseMagic = 0x65735546

// networkFuse are programs that fetch files from other machines.
var networkFuse = []string{
	"sshfs", "s3fs", "rclone", "gcsfuse", "glusterfs", "davfs", "ceph", "juicefs", "goofys", "blobfuse",
	"mfs", "moosefs", "lizardfs", "seaweedfs", "curlftpfs", "smbnetfs", "nfs", "mount-s3", "mountpoint-s3",
}

// networkFilesystem names the network file system that the folder is on, or
// gives "".
func networkFilesystem(dir string) string {
	var s unix.Statfs_t
	if unix.Statfs(dir, &s) != nil {
		return ""
	}
	return classify(uint32(s.Type), func() string {
		if real, err := filepath.EvalSymlinks(dir); err == nil {
			dir = real // mounts are listed by where they really are
		}
		f, err := os.Open("/proc/self/mountinfo")
		if err != nil {
			return ""
		}
		defer func() { _ = f.Close() }()
		return mountType(f, dir)
	})
}

// classify names a file system by its magic number, and one of FUSE by what
// it was mounted as.
func classify(magic uint32, mounted func() string) string {
	if magic != fuseMagic {
		return networkMagic[magic]
	}
	kind := mounted()
	for _, name := range networkFuse {
		if strings.Contains(kind, name) {
			return kind
		}
	}
	return ""
}

// mountType is the type of the deepest mount above dir, as mountinfo (proc(5))
// names it.
func mountType(mountinfo io.Reader, dir string) string {
	// Blanks in a path are written as numbers.
	unescape := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
	best, kind := "", ""
	for lines := bufio.NewScanner(mountinfo); lines.Scan(); {
		before, after, ok := strings.Cut(lines.Text(), " - ")
		fields := strings.Fields(before)
		if !ok || len(fields) < 5 {
			continue
		}
		at := unescape.Replace(fields[4])
		under := dir == at || at == "/" || strings.HasPrefix(dir, at+"/")
		if under && len(at) >= len(best) {
			if types := strings.Fields(after); len(types) > 0 {
				best, kind = at, types[0]
			}
		}
	}
	return kind
}
