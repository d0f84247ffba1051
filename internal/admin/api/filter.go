package api

import (
	"fmt"
	"net/url"
	"strconv"

	"github.com/weirmail/weir/internal/mail"
)

// Filter chooses messages. A message has to fit every field that is set; the
// zero value fits all. Recipient, Domain and State have to fit one and the
// same recipient. Upper and lower case are equal.
type Filter struct {
	// Sender is a reverse-path, "user@example.org", or all of a domain,
	// "@example.org", or "<>" for the null reverse-path.
	Sender string `json:"sender,omitempty"`
	// Recipient is a forward-path, or all of a domain, as in Sender.
	Recipient string `json:"recipient,omitempty"`
	// Domain is the domain of a recipient. ".example.org" means all names
	// below example.org.
	Domain string `json:"domain,omitempty"`
	// OlderThan is the least time since the message arrived.
	OlderThan Duration `json:"older_than,omitzero"`
	// Held chooses messages that are held, or those that are not.
	Held *bool `json:"held,omitempty"`
	// State is the state of a recipient, as in [Recipient].
	State string `json:"state,omitempty"`
}

// IsZero reports that the filter fits all messages.
func (f Filter) IsZero() bool { return f == Filter{} }

// Check says what is wrong with a filter, or nil.
func (f Filter) Check() error {
	if f.State != "" && !isState(f.State) {
		return fmt.Errorf("state is %q, but has to be waiting, relayed, delivered, failed, expired or removed", f.State)
	}
	for _, address := range []string{f.Sender, f.Recipient} {
		if address == "@" || address == "<@>" {
			return fmt.Errorf("%q is no address: a domain follows the @", address)
		}
	}
	if f.OlderThan < 0 {
		return fmt.Errorf("older_than is %s, but cannot be less than nothing", f.OlderThan)
	}
	return nil
}

func isState(s string) bool {
	for state := mail.Waiting; state <= mail.Removed; state++ {
		if s == state.String() {
			return true
		}
	}
	return false
}

// Values returns the filter as the parameters of a query.
func (f Filter) Values() url.Values {
	v := url.Values{}
	set := func(key, value string) {
		if value != "" {
			v.Set(key, value)
		}
	}
	set("sender", f.Sender)
	set("recipient", f.Recipient)
	set("domain", f.Domain)
	set("state", f.State)
	if f.OlderThan != 0 {
		v.Set("older_than", f.OlderThan.String())
	}
	if f.Held != nil {
		v.Set("held", strconv.FormatBool(*f.Held))
	}
	return v
}

// Set reads one parameter of a query. It reports false for a key that is none
// of the filter's.
func (f *Filter) Set(key, value string) (known bool, err error) {
	switch key {
	case "sender":
		f.Sender = value
	case "recipient":
		f.Recipient = value
	case "domain":
		f.Domain = value
	case "state":
		f.State = value
	case "older_than":
		err = f.OlderThan.UnmarshalText([]byte(value))
	case "held":
		f.Held, err = parseHeld(value)
	default:
		return false, nil
	}
	return true, err
}

func parseHeld(value string) (*bool, error) {
	held, err := strconv.ParseBool(value)
	if err != nil {
		return nil, fmt.Errorf("held is %q, but has to be true or false", value)
	}
	return &held, nil
}
