package smarthost

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Choice is a provider as the configuration names it: "gmail",
// "ses:eu-west-1", "mailgun:eu", "sendgrid:2525", "ses:eu-west-1:2587".
type Choice struct {
	Provider *Provider
	// Host and Port are what is chosen of the provider.
	Host string
	Port Port
}

// Error is a name that cannot be taken, with what would be right.
type Error struct {
	Problem    string
	Suggestion string
}

// Error returns what is wrong.
func (e *Error) Error() string { return e.Problem }

// Choose finds the provider that a name stands for. The error is an [*Error].
func Choose(name string) (Choice, error) {
	providers, err := Providers()
	if err != nil {
		return Choice{}, err
	}
	id, rest, _ := strings.Cut(strings.ToLower(strings.TrimSpace(name)), ":")
	for i := range providers {
		if p := &providers[i]; p.ID == id {
			return p.choose(rest)
		}
	}
	return Choice{}, unknown(name, id, providers)
}

// unknown says that there is no such provider.
func unknown(name, id string, providers []Provider) error {
	e := &Error{
		Problem:    fmt.Sprintf("%q is no provider that Weir knows", name),
		Suggestion: `"weir smarthosts" lists them; another server is written as next_hop = "smtp://host:587"`,
	}
	for i := range providers {
		p := &providers[i]
		if slices.Contains(p.Aliases, id) || len(id) > 2 && (strings.Contains(p.ID, id) || strings.Contains(id, p.ID) || strings.Contains(strings.ToLower(p.Name), id)) {
			e.Suggestion = fmt.Sprintf("did you mean %q?", p.ID)
			return e
		}
	}
	return e
}

// choose reads what stands behind the name: a region or variant, and a port.
func (p *Provider) choose(rest string) (Choice, error) {
	c := Choice{Provider: p, Host: p.Host, Port: p.Ports()[0]}
	parts := []string(nil)
	if rest != "" {
		parts = strings.Split(rest, ":")
	}
	// A number is a port, unless a variant is called so.
	if n := len(parts); n > 0 {
		if _, variant := p.Variants[parts[n-1]]; !variant && isNumber(parts[n-1]) {
			port, err := p.port(parts[n-1])
			if err != nil {
				return Choice{}, err
			}
			c.Port, parts = port, parts[:n-1]
		}
	}
	switch {
	case len(parts) > 1:
		return Choice{}, &Error{fmt.Sprintf("%q says too much", p.ID+":"+rest), fmt.Sprintf("write %q", p.Example())}
	case len(p.Regions) > 0:
		return p.region(c, parts)
	case len(parts) == 1:
		host, ok := p.Variants[parts[0]]
		if !ok {
			return Choice{}, p.noVariant(parts[0])
		}
		c.Host = host
	}
	return c, nil
}

// region fills the region in.
func (p *Provider) region(c Choice, parts []string) (Choice, error) {
	if len(parts) == 0 {
		return Choice{}, &Error{p.Name + " has a server for each region, and none is named", fmt.Sprintf("write the region of the account, such as %q", p.Example())}
	}
	// A region that the table does not have yet is taken where it looks like one.
	if !slices.Contains(p.Regions, parts[0]) && !looksLikeRegion(parts[0]) {
		return Choice{}, &Error{fmt.Sprintf("%q is no region of %s", parts[0], p.Name), "they are " + strings.Join(p.Regions, ", ")}
	}
	c.Host = strings.ReplaceAll(p.Host, "{region}", parts[0])
	return c, nil
}

// looksLikeRegion tells whether a word has the form of a region, such as
// eu-west-1: providers open new ones faster than programs are updated.
func looksLikeRegion(s string) bool {
	words := strings.Split(s, "-")
	for _, w := range words {
		if w == "" || strings.Trim(w, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
			return false
		}
	}
	return len(words) >= 3 && isNumber(words[len(words)-1])
}

func isNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// port finds a port of the provider.
func (p *Provider) port(text string) (Port, error) {
	n, err := strconv.ParseUint(text, 10, 16)
	var all []string
	for _, port := range p.Ports() {
		if err == nil && port.Number == uint16(n) {
			return port, nil
		}
		all = append(all, strconv.Itoa(int(port.Number)))
	}
	return Port{}, &Error{fmt.Sprintf("%s does not listen on port %s", p.Name, text), "its ports are " + strings.Join(all, ", ")}
}

// noVariant says that there is no such variant.
func (p *Provider) noVariant(name string) error {
	if len(p.Variants) == 0 {
		return &Error{fmt.Sprintf("%s has no %q", p.Name, name), fmt.Sprintf("write %q", p.ID)}
	}
	return &Error{fmt.Sprintf("%s has no %q", p.Name, name), fmt.Sprintf("write %q, or with one of %s behind the colon", p.ID, strings.Join(p.VariantNames(), ", "))}
}

// VariantNames returns the names of the variants in their order.
func (p *Provider) VariantNames() []string { return slices.Sorted(maps.Keys(p.Variants)) }

// Example is how the provider is written.
func (p *Provider) Example() string {
	if len(p.Regions) > 0 {
		return p.ID + ":" + p.Regions[0]
	}
	return p.ID
}
