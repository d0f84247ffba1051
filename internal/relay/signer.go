package relay

import (
	"fmt"

	"github.com/weirmail/weir/internal/event"
	"github.com/weirmail/weir/internal/outbound/sign"
)

// openSigner reads the keys by which mail is signed. Without any it is nil.
func (r *Relay) openSigner() (*sign.Signer, error) {
	o := sign.Options{Fault: func(err error) { r.events.Fault(event.Fault{Where: "signing", Err: err}) }}
	for i := range r.config.DKIM {
		k := &r.config.DKIM[i]
		o.Keys = append(o.Keys, sign.Key{Domain: k.Domain, Selector: k.Selector, File: k.KeyFile, Headers: k.Headers, Expire: k.Expire})
	}
	signer, err := sign.New(o)
	if err != nil {
		return nil, fmt.Errorf("reading the keys that sign mail (tables [[dkim]]): %w", err)
	}
	return signer, nil
}
