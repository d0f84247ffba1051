package servers

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// StartOpenSMTPD starts an OpenSMTPD out of Debian's package, which is fetched and
// unpacked in the folder: it cannot be installed beside Postfix. The paths and the
// users in the program are fixed, so it gets a view of the file system of its own.
// It can be started by root alone.
//
// It is started without TLS, and so without AUTH: the program of Debian 12
// (6.8.0p2) cannot sign with the OpenSSL 3 of Debian 12, and breaks each handshake
// off ("EVP lib"; github.com/OpenSMTPD/OpenSMTPD, issues 1171 and 1239).
func StartOpenSMTPD(ctx context.Context, dir string) (*Running, error) {
	if os.Geteuid() != 0 {
		return nil, fmt.Errorf("%w: OpenSMTPD has to be started by root", ErrMissing)
	}
	version, err := fetchOpenSMTPD(ctx, dir)
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	for name, text := range map[string]string{
		"smtpd.conf": fmt.Sprintf(opensmtpdConfiguration, port),
		"start":      opensmtpdStart,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	cmd := exec.Command("/bin/sh", filepath.Join(dir, "start"), dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	stop, err := start(ctx, cmd, address, filepath.Join(dir, "said"))
	if err != nil {
		return nil, err
	}
	r := &Running{Server: known("OpenSMTPD", address), Version: version, Stop: stop}
	r.Server.Parallel = 2 // with more it keeps clients waiting
	return r, nil
}

// fetchOpenSMTPD unpacks the package below root, and returns its version.
func fetchOpenSMTPD(ctx context.Context, dir string) (version string, err error) {
	fetch := exec.CommandContext(ctx, "apt-get", "-q", "download", "opensmtpd")
	fetch.Dir = dir
	if out, err := fetch.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: fetching the package of OpenSMTPD: %w\n%s", ErrMissing, err, out)
	}
	packages, err := filepath.Glob(filepath.Join(dir, "opensmtpd_*.deb"))
	if err != nil || len(packages) != 1 {
		return "", fmt.Errorf("%w: there is no package of OpenSMTPD where it was fetched", ErrMissing)
	}
	root := filepath.Join(dir, "root")
	if out, err := exec.CommandContext(ctx, "dpkg", "-x", packages[0], root).CombinedOutput(); err != nil {
		return "", fmt.Errorf("unpacking OpenSMTPD: %w\n%s", err, out)
	}
	_, rest, _ := strings.Cut(filepath.Base(packages[0]), "_")
	version, _, _ = strings.Cut(rest, "-")
	return version, nil
}

const opensmtpdConfiguration = `listen on 127.0.0.1 port %d hostname opensmtpd.test
action "out" relay host "smtp://127.0.0.1:9"
match from any for domain "example.org" action "out"
match from any for local action "out"
`

// opensmtpdStart gives the program the users and the folders that it expects, seen
// by nobody else.
const opensmtpdStart = `set -e
dir=$1
mount --make-rprivate /
for file in passwd group; do cp /etc/$file $dir/$file; done
for user in opensmtpd:990 opensmtpq:991; do
	echo "${user%:*}:x:${user#*:}:${user#*:}::/var/lib/opensmtpd/empty:/usr/sbin/nologin" >>$dir/passwd
	echo "${user%:*}:x:${user#*:}:" >>$dir/group
done
for file in passwd group; do mount --bind $dir/$file /etc/$file; done
for folder in /var/spool /var/lib /run; do mount -t tmpfs tmpfs $folder; done
mkdir -p /var/spool/smtpd /var/lib/opensmtpd/empty
chmod 711 /var/spool/smtpd
exec $dir/root/usr/sbin/smtpd -d -f $dir/smtpd.conf
`
