package config

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io/fs"
	"net/url"
	"strings"
)

// HasCertificate says whether a listener has a certificate to show. In development
// mode one is made.
func (c *Config) HasCertificate(l *Listener) bool {
	return len(l.Certificate) > 0 || len(c.TLS.Certificate) > 0 || len(c.TLS.ACME.Names) > 0 || c.Dev
}

// checkTLS loads the certificates, so that a wrong one is heard of now.
func checkTLS(d *decoder, c *Config, src Source) {
	checkPairs(d, src, "tls.", c.TLS.Certificate, c.TLS.Key, "under [tls]")
	checkACME(d, src, &c.TLS.ACME)
	checkHopTLS(d, src, "delivery.", &c.Delivery.HopTLS)
	for i := range c.Routes {
		checkHopTLS(d, src, at("route", i)+".", &c.Routes[i].HopTLS)
	}
	checkTLSReport(d, &c.TLSReport)
	for i := range c.Listeners {
		l, key := &c.Listeners[i], at("listener", i)+"."
		checkPairs(d, src, key, l.Certificate, l.Key, "beside it")
		checkClientCA(d, src, c, l, key)
	}
}

// checkHopTLS looks at what is shown to other servers, and at who vouches for them.
func checkHopTLS(d *decoder, src Source, prefix string, h *HopTLS) {
	switch {
	case h.ClientCertificate != "" && h.ClientKey == "":
		d.lacks(prefix+"client_certificate", "the certificate needs its key", "set client_key beside it")
	case h.ClientCertificate == "" && h.ClientKey != "":
		d.lacks(prefix+"client_key", "the key needs its certificate", "set client_certificate beside it")
	case h.ClientCertificate != "":
		checkPair(d, src, prefix+"client_certificate", prefix+"client_key", h.ClientCertificate, h.ClientKey)
	}
	if h.TLSCA == "" {
		return
	}
	data, err := src.ReadFile(h.TLSCA)
	switch {
	case err != nil:
		d.wrong(prefix+"tls_ca", fmt.Sprintf("%s cannot be read: %v", h.TLSCA, plain(err)), "")
	case !x509.NewCertPool().AppendCertsFromPEM(data):
		d.wrong(prefix+"tls_ca", "there is no certificate in "+h.TLSCA, "")
	}
}

// checkTLSReport looks at who reports.
func checkTLSReport(d *decoder, r *TLSReport) {
	_, domain, ok := strings.Cut(r.From, "@")
	switch {
	case r.From == "" && (r.Contact != "" || r.Organization != ""):
		d.lacks("tls_report.from", "reports are sent only where it is said who sends them", `set from = "tls-reports@example.org"`)
	case r.From == "":
	case !ok || strings.ContainsAny(r.From, " <>\r\n\"") || checkDomain(domain) != nil:
		d.wrong("tls_report.from", fmt.Sprintf("%q is no address", r.From), "")
	}
}

// checkPairs looks at certificates and their keys. where says where a missing one
// belongs.
func checkPairs(d *decoder, src Source, prefix string, certificates, keys []string, where string) {
	for i := range max(len(certificates), len(keys)) {
		switch {
		case i >= len(keys):
			d.lacks(at(prefix+"certificate", i), "the certificate needs its key", "set key "+where)
		case i >= len(certificates):
			d.lacks(at(prefix+"key", i), "the key needs its certificate", "set certificate "+where)
		default:
			checkPair(d, src, at(prefix+"certificate", i), at(prefix+"key", i), certificates[i], keys[i])
		}
	}
}

// checkPair loads one certificate with its key.
func checkPair(d *decoder, src Source, certificateKey, keyKey, certificateFile, keyFile string) {
	certificate, err := src.ReadFile(certificateFile)
	if err != nil {
		d.wrong(certificateKey, fmt.Sprintf("%s cannot be read: %v", certificateFile, plain(err)), "")
	}
	key, keyErr := src.ReadFile(keyFile)
	if keyErr != nil {
		d.wrong(keyKey, fmt.Sprintf("%s cannot be read: %v", keyFile, plain(keyErr)), "")
	}
	if err != nil || keyErr != nil {
		return
	}
	if mode, err := src.mode(keyFile); err == nil && mode.Perm()&0o007 != 0 {
		d.doubt(keyKey, fmt.Sprintf("everyone on this machine may open %s, the private key", keyFile), "chmod o-rwx "+keyFile)
	}
	pair, err := tls.X509KeyPair(certificate, key)
	switch {
	case err != nil:
		d.wrong(certificateKey, fmt.Sprintf("certificate and key cannot be used: %s", strings.TrimPrefix(err.Error(), "tls: ")), "")
	case src.Now.After(pair.Leaf.NotAfter):
		d.doubt(certificateKey, fmt.Sprintf("the certificate ended on %s", pair.Leaf.NotAfter.Format("2006-01-02")), "")
	}
}

// mode returns the permissions of a file.
func (src Source) mode(name string) (fs.FileMode, error) {
	info, err := src.Stat(name)
	if err != nil {
		return 0, err
	}
	return info.Mode(), nil
}

// checkClientCA looks at what clients' certificates have to be from.
func checkClientCA(d *decoder, src Source, c *Config, l *Listener, prefix string) {
	asks := l.ClientCertificate != ClientCertificateOff
	switch {
	case asks && (l.TLS == ListenerTLSOff || !c.HasCertificate(l)):
		d.wrong(prefix+"client_certificate", "without TLS no client can show a certificate", "set certificate and key under [tls]")
	case asks && l.ClientCA == "":
		d.lacks(prefix+"client_certificate", "which authorities the certificates must be from is not said", "set client_ca beside it")
	case !asks && l.ClientCA != "":
		d.doubt(prefix+"client_ca", "no client is asked for a certificate", `write client_certificate = "request" or "require" beside it`)
	}
	if l.ClientCA == "" {
		return
	}
	data, err := src.ReadFile(l.ClientCA)
	switch {
	case err != nil:
		d.wrong(prefix+"client_ca", fmt.Sprintf("%s cannot be read: %v", l.ClientCA, plain(err)), "")
	case !x509.NewCertPool().AppendCertsFromPEM(data):
		d.wrong(prefix+"client_ca", fmt.Sprintf("there is no certificate in %s", l.ClientCA), "write the file of the authorities, in PEM")
	}
}

// checkACME looks at what is needed to get certificates.
func checkACME(d *decoder, src Source, a *ACME) {
	for i, name := range a.Names {
		if err := checkDomain(name); err != nil {
			d.wrong(at("tls.acme.names", i), err.Error(), "")
		}
	}
	if len(a.Names) == 0 {
		return
	}
	if !a.AcceptTerms {
		d.lacks(d.setOf("tls.acme.accept_terms", "tls.acme.names"), "the authority gives certificates to those who accept its terms", "read them, and write accept_terms = true")
	}
	if u, err := url.Parse(a.Directory); err != nil || u.Scheme != "https" || u.Host == "" {
		d.wrong("tls.acme.directory", fmt.Sprintf("%q is not the https:// address of a directory", a.Directory), "")
	}
	if err := checkListenAddress(a.HTTP01); err != nil {
		d.wrong("tls.acme.http01", err.Error(), "")
	}
	if (a.KeyID == "") != a.KeyMAC.IsZero() {
		d.wrong(d.setOf("tls.acme.key_mac", "tls.acme.key_id"), "key_id and key_mac belong together", "set both, as the authority has given them")
	}
	if a.CA == "" {
		return
	}
	data, err := src.ReadFile(a.CA)
	switch {
	case err != nil:
		d.wrong("tls.acme.ca", fmt.Sprintf("%s cannot be read: %v", a.CA, plain(err)), "")
	case !x509.NewCertPool().AppendCertsFromPEM(data):
		d.wrong("tls.acme.ca", fmt.Sprintf("there is no certificate in %s", a.CA), "")
	}
}
