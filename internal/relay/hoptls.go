package relay

import (
	"crypto/tls"
	"fmt"

	"github.com/weirmail/weir/internal/config"
	"github.com/weirmail/weir/internal/outbound/route"
)

// hopTLS makes what handshakes with other servers are made with; nil where nothing
// is set, and where nobody is connected to. where names the part of the
// configuration.
func (r *Relay) hopTLS(where string, c config.HopTLS) (*tls.Config, error) {
	if c == (config.HopTLS{}) || r.certificates == nil {
		return nil, nil
	}
	made := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.TLSCA != "" {
		roots, err := rootsOf(c.TLSCA)
		if err != nil {
			return nil, fmt.Errorf("the authorities of other servers (key tls_ca of %s): %w", where, err)
		}
		made.RootCAs = roots
	}
	if c.ClientCertificate != "" {
		entry, err := r.certificates.keeper.Add(c.ClientCertificate, c.ClientKey)
		if err != nil {
			return nil, fmt.Errorf("the certificate for other servers (keys client_certificate and client_key of %s): %w", where, err)
		}
		made.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return entry.Certificate(), nil
		}
	}
	return made, nil
}

// addTLS gives next hops what is set for them alone. What is not is as for all mail.
func (r *Relay) addTLS(hops []route.NextHop, where string, own config.HopTLS) error {
	if own == (config.HopTLS{}) {
		return nil
	}
	if own.TLSCA == "" {
		own.TLSCA = r.config.Delivery.TLSCA
	}
	if own.ClientCertificate == "" {
		own.ClientCertificate, own.ClientKey = r.config.Delivery.ClientCertificate, r.config.Delivery.ClientKey
	}
	made, err := r.hopTLS(where, own)
	if err != nil {
		return err
	}
	for i := range hops {
		hops[i].TLSConfig, hops[i].TLSName = made, own.ClientCertificate
		if own.ClientCertificate == "" {
			hops[i].TLSName = own.TLSCA
		}
	}
	return nil
}
