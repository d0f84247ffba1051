package dns

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"strings"

	"github.com/miekg/dns"
)

// systemServers returns the resolvers of the system: the one on this machine
// where none is named, as the C library does.
func systemServers(path string) ([]netip.AddrPort, error) {
	fallback := []netip.AddrPort{netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 53)}
	text, err := readFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading which resolvers the system uses: %w", err)
	}
	conf, err := dns.ClientConfigFromReader(strings.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("reading which resolvers the system uses: %s: %w", path, err)
	}
	var servers []netip.AddrPort
	for _, s := range conf.Servers {
		if addr, err := netip.ParseAddr(s); err == nil {
			servers = append(servers, netip.AddrPortFrom(addr, 53))
		}
	}
	if len(servers) == 0 {
		return fallback, nil
	}
	return servers, nil
}

// readHosts reads a file of hosts (hosts(5)).
func readHosts(path string) (map[string][]netip.Addr, error) {
	text, err := readFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the names of this machine: %w", err)
	}
	hosts := map[string][]netip.Addr{}
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		if len(words) < 2 {
			continue
		}
		addr, err := netip.ParseAddr(words[0])
		if err != nil {
			continue
		}
		for _, word := range words[1:] {
			if name, err := ToASCII(word); err == nil {
				hosts[name] = append(hosts[name], addr)
			}
		}
	}
	return hosts, nil
}

// maxFile bounds what is read of a file of the system.
const maxFile = 1 << 20

// readFile returns the text of a file, nothing where there is none.
func readFile(path string) (string, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxFile))
	return string(text), err
}
