package route

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// maxLaneHosts bounds the part of a lane's name that names its hosts: it is shown,
// typed, and kept as a key.
const maxLaneHosts = 160

// LaneName returns the name of the lane to a destination: a lane is for those
// messages that leave from the same source, to the same hosts, by the same TLS
// policy. What is usual goes without saying: source is empty where there is no
// choice, and policy where nothing but what all lanes have is asked of the hosts.
// hosts may be in any order, and are not changed.
func LaneName(source, policy string, hosts []string) string {
	sorted := slices.Clone(hosts)
	slices.Sort(sorted)
	return laneName(source, policy, strings.Join(slices.Compact(sorted), ","))
}

// laneName is LaneName for a destination that has a name already.
func laneName(source, policy, destination string) string {
	name := shortened(destination)
	if policy != "" {
		name += " " + policy
	}
	if source != "" {
		name += " from " + source
	}
	return name
}

// shortened is a destination whose name fits. The hash stands for what is left
// out, so that no two share a lane because they begin alike.
func shortened(destination string) string {
	if len(destination) <= maxLaneHosts {
		return destination
	}
	first, _, _ := strings.Cut(destination, ",")
	first = first[:min(len(first), maxLaneHosts/2)]
	sum := sha256.Sum256([]byte(destination))
	return fmt.Sprintf("%s,+%d#%s", first, strings.Count(destination, ","), hex.EncodeToString(sum[:6]))
}

// providerName is the destination of the hosts of a profile. No host and no next
// hop is written so.
func providerName(name string) string { return "@" + name }
