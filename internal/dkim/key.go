package dkim

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// Algorithm is the kind of a key, as the tag k= of a record and the first half of
// the tag a= of a signature have it.
type Algorithm string

// The algorithms. Both sign SHA-256.
const (
	RSA     Algorithm = "rsa"     // RFC 6376 section 3.3.2
	Ed25519 Algorithm = "ed25519" // RFC 8463
)

// The sizes of RSA keys, in bits.
const (
	// LeastBits is what a key has to have to sign (RFC 8301 section 3.2 asks for
	// 2048 wherever that is possible, and it is).
	LeastBits = 2048
	// UsualBits is what a new key has: more do not fit into one string of a record
	// of the DNS, and slow down everybody who verifies.
	UsualBits = 2048
	// mostBits is what verifiers have to take (RFC 6376 section 3.3.3 names 2048,
	// RFC 8301 4096).
	mostBits = 4096
)

// Key is a private key. It is not changed, and safe for concurrent use. To print
// it prints its kind alone.
type Key struct {
	algorithm Algorithm
	rsa       *rsa.PrivateKey
	ed25519   ed25519.PrivateKey
}

// Generate makes a key. An RSA key has [UsualBits] bits.
func Generate(a Algorithm) (*Key, error) {
	switch a {
	case RSA:
		k, err := rsa.GenerateKey(rand.Reader, UsualBits)
		if err != nil {
			return nil, fmt.Errorf("making an RSA key: %w", err)
		}
		return &Key{algorithm: RSA, rsa: k}, nil
	case Ed25519:
		_, k, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return nil, fmt.Errorf("making an Ed25519 key: %w", err)
		}
		return &Key{algorithm: Ed25519, ed25519: k}, nil
	}
	return nil, fmt.Errorf("there is no algorithm %q: write rsa or ed25519", a)
}

// ParseKey reads a private key from PEM: PKCS#8 ("PRIVATE KEY") or PKCS#1 ("RSA
// PRIVATE KEY"), not encrypted. What stands before and behind it is passed over.
// Errors say what the file holds instead; they have nothing of it in them.
func ParseKey(file []byte) (*Key, error) {
	if len(strings.TrimSpace(string(file))) == 0 {
		return nil, errors.New("the file is empty")
	}
	for block, rest := pem.Decode(file); block != nil; block, rest = pem.Decode(rest) {
		switch {
		case block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "":
			return nil, errors.New("the key is encrypted by a password, which Weir does not ask for: write it without, and let nobody else read the file")
		case block.Type == "PRIVATE KEY":
			return fromPKCS8(block.Bytes)
		case block.Type == "RSA PRIVATE KEY":
			k, err := x509.ParsePKCS1PrivateKey(block.Bytes)
			if err != nil {
				return nil, errors.New("the RSA key in it is broken")
			}
			return checked(&Key{algorithm: RSA, rsa: k})
		case strings.HasSuffix(block.Type, "PUBLIC KEY"):
			return nil, errors.New("it is a public key: to sign takes the private one")
		case strings.HasSuffix(block.Type, "PRIVATE KEY"):
			return nil, fmt.Errorf("a key of the kind %q cannot sign mail: make one by \"weir dkim generate\"", block.Type)
		}
	}
	return nil, errors.New("there is no private key in PEM in it (-----BEGIN PRIVATE KEY-----)")
}

func fromPKCS8(der []byte) (*Key, error) {
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, errors.New("the key in it is broken, or of a kind that is not known")
	}
	switch k := parsed.(type) {
	case *rsa.PrivateKey:
		return checked(&Key{algorithm: RSA, rsa: k})
	case ed25519.PrivateKey:
		return &Key{algorithm: Ed25519, ed25519: k}, nil
	}
	return nil, errors.New("a key of this kind cannot sign mail: DKIM has RSA and Ed25519")
}

// checked holds a key to the limits of its length.
func checked(k *Key) (*Key, error) {
	switch bits := k.Bits(); {
	case bits < LeastBits:
		return nil, fmt.Errorf("the RSA key has %d bits, and receivers want at least %d (RFC 8301): make a new one by \"weir dkim generate\"", bits, LeastBits)
	case bits > mostBits:
		return nil, fmt.Errorf("the RSA key has %d bits, and receivers verify up to %d only (RFC 8301): make a new one by \"weir dkim generate\"", bits, mostBits)
	}
	return k, nil
}

// Algorithm returns the kind of the key.
func (k *Key) Algorithm() Algorithm { return k.algorithm }

// Bits returns the length of the key.
func (k *Key) Bits() int {
	if k.rsa != nil {
		return k.rsa.N.BitLen()
	}
	return 256
}

// String returns the kind and the length of the key, and nothing else of it.
func (k *Key) String() string {
	if k.algorithm == Ed25519 {
		return "Ed25519"
	}
	return fmt.Sprintf("RSA with %d bits", k.Bits())
}

// GoString does the same for %#v.
func (k *Key) GoString() string { return k.String() }

// PEM returns the key as a file holds it, in PKCS#8.
func (k *Key) PEM() ([]byte, error) {
	var private any = k.ed25519
	if k.rsa != nil {
		private = k.rsa
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, fmt.Errorf("writing the key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// Sign signs the SHA-256 of what is signed (RFC 6376 section 3.3, RFC 8463 section
// 3).
func (k *Key) Sign(digest []byte) ([]byte, error) {
	if k.rsa != nil {
		return rsa.SignPKCS1v15(nil, k.rsa, crypto.SHA256, digest)
	}
	return ed25519.Sign(k.ed25519, digest), nil
}

// public returns the public half as the tag p= of a record has it: an RSA key in
// SubjectPublicKeyInfo, an Ed25519 key as its 32 octets.
func (k *Key) public() ([]byte, error) {
	if k.rsa != nil {
		return x509.MarshalPKIXPublicKey(&k.rsa.PublicKey)
	}
	return k.ed25519.Public().(ed25519.PublicKey), nil
}
