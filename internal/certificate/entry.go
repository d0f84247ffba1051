package certificate

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

// Entry is a certificate with its key, as it is now. It is safe for concurrent use.
type Entry struct {
	file, key string // empty for one that was made
	current   atomic.Pointer[loaded]

	// What the keeper knows of the files; its mu guards it.
	problem string    // of what they hold; empty where it is shown
	seen    [2][]byte // what they held when they were looked at last
	warned  time.Time // when it was told last that it ends
}

// loaded is a certificate that can be used.
type loaded struct {
	certificate tls.Certificate
	files       [2][]byte
}

// Made returns an entry for a certificate that is in no file.
func Made(c tls.Certificate) *Entry {
	e := new(Entry)
	e.current.Store(&loaded{certificate: c})
	return e
}

// Certificate returns what is shown now.
func (e *Entry) Certificate() *tls.Certificate { return &e.current.Load().certificate }

// Info tells of a certificate.
type Info struct {
	// File is where it is from; empty for one that is in no file.
	File string
	// Names are those that it is for.
	Names []string
	// Expires is when it ends.
	Expires time.Time
	// Problem says why what the file holds now is not shown; mostly empty.
	Problem string
}

// InfoOf tells of the certificate of a server.
func InfoOf(file string, c *tls.Certificate) Info {
	i := Info{File: file}
	leaf := c.Leaf
	if leaf == nil && len(c.Certificate) > 0 {
		leaf, _ = x509.ParseCertificate(c.Certificate[0])
	}
	if leaf == nil {
		return i
	}
	i.Expires = leaf.NotAfter
	i.Names = append(i.Names, leaf.DNSNames...)
	for _, ip := range leaf.IPAddresses {
		i.Names = append(i.Names, ip.String())
	}
	if len(i.Names) == 0 && leaf.Subject.CommonName != "" {
		i.Names = []string{leaf.Subject.CommonName}
	}
	return i
}

// readFiles reads both files.
func (e *Entry) readFiles() (files [2][]byte, err error) {
	for i, name := range []string{e.file, e.key} {
		if files[i], err = os.ReadFile(name); err != nil {
			return files, fmt.Errorf("reading the certificate: %w", err)
		}
	}
	return files, nil
}

// load makes a certificate of what the files hold.
func (e *Entry) load(files [2][]byte) error {
	c, err := tls.X509KeyPair(files[0], files[1])
	if err != nil {
		return fmt.Errorf("%s and %s cannot be used: %s", e.file, e.key, strings.TrimPrefix(err.Error(), "tls: "))
	}
	e.current.Store(&loaded{certificate: c, files: files})
	return nil
}

// isShown says whether files hold what is shown.
func (e *Entry) isShown(files [2][]byte) bool { return isSame(e.current.Load().files, files) }

func isSame(a, b [2][]byte) bool { return bytes.Equal(a[0], b[0]) && bytes.Equal(a[1], b[1]) }
