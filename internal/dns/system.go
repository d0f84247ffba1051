package dns

import (
	"errors"
	"fmt"
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
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fallback, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading which resolvers the system uses: %w", err)
	}
	defer file.Close()
	conf, err := dns.ClientConfigFromReader(file)
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

// maxHosts bounds the file of hosts.
const maxHosts = 1 << 20

// readHosts reads a file of hosts (hosts(5)).
func readHosts(path string) (map[string][]netip.Addr, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the names of this machine: %w", err)
	}
	hosts := map[string][]netip.Addr{}
	for line := range strings.Lines(string(text[:min(len(text), maxHosts)])) {
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
