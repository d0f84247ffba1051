package auth

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
)

// verifier is what is kept of a password: enough to check it, not to learn it.
type verifier interface {
	// verify computes once what the password, as it came, has to give.
	verify(password string) bool
	// String is how it stands in the file.
	String() string
}

// What is written for new passwords: argon2id as OWASP has it for interactive use, and
// SCRAM with as many rounds as clients do in a fraction of a second. The bounds keep a
// line of the file from taking the machine.
const (
	argonMemory, argonTime, argonThreads          = 19 << 10, 2, 1
	mostArgonMemory, mostArgonTime, mostArgonWays = 256 << 10, 32, 16
	saltLength                                    = 16
	scramIterations                               = 65_536          // clients of Cyrus SASL, Postfix among them, refuse to compute more
	leastIterations, mostIterations               = 4096, 5_000_000 // RFC 7677 section 4
	mostBcryptCost                                = 16
)

// parseVerifier reads a verifier by the scheme that it begins with.
func parseVerifier(s string) (verifier, error) {
	switch {
	case strings.HasPrefix(s, "$argon2id$"):
		return parseArgon(s)
	case strings.HasPrefix(s, "$2a$"), strings.HasPrefix(s, "$2b$"), strings.HasPrefix(s, "$2y$"):
		return parseBcrypt(s)
	case strings.HasPrefix(s, scramScheme):
		v, err := parseSCRAM(s)
		return &v, err
	}
	return nil, errors.New("a verifier begins with $argon2id$, $2y$ or SCRAM-SHA-256$")
}

// argon is argon2id (RFC 9106), in the form that its reference program writes.
type argon struct {
	memory, time uint32
	threads      uint8
	salt, key    []byte
}

func newArgon(password string) *argon {
	a := &argon{memory: argonMemory, time: argonTime, threads: argonThreads, salt: randomBytes(saltLength)}
	a.key = a.compute(password, 32)
	return a
}

func (a *argon) compute(password string, length int) []byte {
	return argon2.IDKey([]byte(preparePassword(password)), a.salt, a.time, a.memory, a.threads, uint32(length))
}

func (a *argon) verify(password string) bool {
	return subtle.ConstantTimeCompare(a.compute(password, len(a.key)), a.key) == 1
}

func (a *argon) String() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, a.memory, a.time, a.threads,
		base64.RawStdEncoding.EncodeToString(a.salt), base64.RawStdEncoding.EncodeToString(a.key))
}

func parseArgon(s string) (*argon, error) {
	a := &argon{}
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[2] != "v="+strconv.Itoa(argon2.Version) {
		return nil, errors.New("argon2id is written $argon2id$v=19$m=…,t=…,p=…$salt$hash")
	}
	var numbers [3]uint64
	words := strings.Split(parts[3], ",")
	for i, name := range []string{"m=", "t=", "p="} {
		var err error
		if len(words) != 3 || !strings.HasPrefix(words[i], name) {
			return nil, errors.New("the parameters of argon2id are m, t and p")
		}
		if numbers[i], err = strconv.ParseUint(words[i][2:], 10, 32); err != nil || numbers[i] == 0 {
			return nil, fmt.Errorf("the parameter %s of argon2id is no number", name[:1])
		}
	}
	if numbers[0] > mostArgonMemory || numbers[1] > mostArgonTime || numbers[2] > mostArgonWays {
		return nil, errors.New("argon2id takes too much: at most m=262144, t=32 and p=16")
	}
	a.memory, a.time, a.threads = uint32(numbers[0]), uint32(numbers[1]), uint8(numbers[2])
	var saltErr, keyErr error
	a.salt, saltErr = base64.RawStdEncoding.Strict().DecodeString(parts[4])
	a.key, keyErr = base64.RawStdEncoding.Strict().DecodeString(parts[5])
	if saltErr != nil || keyErr != nil || len(a.salt) < 8 || len(a.key) < 16 || len(a.salt) > 64 || len(a.key) > 64 {
		return nil, errors.New("salt and hash of argon2id are base64, of 8 and 16 to 64 octets")
	}
	return a, nil
}

// bcryptHash is read for those who bring their accounts along. It is never written.
type bcryptHash string

func parseBcrypt(s string) (bcryptHash, error) {
	cost, err := bcrypt.Cost([]byte(s))
	if err != nil || len(s) != 60 || strings.Trim(s[7:], bcryptAlphabet) != "" {
		return "", errors.New("the bcrypt hash is not whole")
	}
	if cost > mostBcryptCost {
		return "", fmt.Errorf("bcrypt takes too much: its cost is at most %d", mostBcryptCost)
	}
	return bcryptHash(s), nil
}

const bcryptAlphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

func (b bcryptHash) verify(password string) bool {
	return bcrypt.CompareHashAndPassword([]byte(b), []byte(password)) == nil
}

func (b bcryptHash) String() string { return string(b) }

// SCRAMVerifier is what SCRAM-SHA-256 needs of a password (RFC 5802 section 3, RFC
// 7677).
type SCRAMVerifier struct {
	Iterations                 int
	Salt, StoredKey, ServerKey []byte
}

// scramScheme is what the form of RFC 5803 begins with.
const scramScheme = "SCRAM-SHA-256$"

func newSCRAM(password string) SCRAMVerifier {
	v := SCRAMVerifier{Iterations: scramIterations, Salt: randomBytes(saltLength)}
	v.StoredKey, v.ServerKey = v.compute(password)
	return v
}

func (v *SCRAMVerifier) compute(password string) (stored, server []byte) {
	// The error is of hashes that FIPS 140 does not have.
	salted, _ := pbkdf2.Key(sha256.New, preparePassword(password), v.Salt, v.Iterations, sha256.Size)
	client := sha256.Sum256(sum(salted, "Client Key"))
	return client[:], sum(salted, "Server Key")
}

func sum(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func (v *SCRAMVerifier) verify(password string) bool {
	stored, _ := v.compute(password)
	return subtle.ConstantTimeCompare(stored, v.StoredKey) == 1
}

// String writes the verifier as RFC 5803 section 3 has it.
func (v *SCRAMVerifier) String() string {
	b := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("%s%d:%s$%s:%s", scramScheme, v.Iterations, b(v.Salt), b(v.StoredKey), b(v.ServerKey))
}

func parseSCRAM(s string) (v SCRAMVerifier, err error) {
	rest, ok := strings.CutPrefix(s, scramScheme)
	info, keys, ok2 := strings.Cut(rest, "$")
	iterations, salt, ok3 := strings.Cut(info, ":")
	stored, server, ok4 := strings.Cut(keys, ":")
	if !ok || !ok2 || !ok3 || !ok4 {
		return v, errors.New("SCRAM is written SCRAM-SHA-256$iterations:salt$stored key:server key")
	}
	n, err := strconv.ParseUint(iterations, 10, 32)
	if err != nil || n < leastIterations || n > mostIterations {
		return v, fmt.Errorf("the iterations of SCRAM are %d to %d", leastIterations, mostIterations)
	}
	v.Iterations = int(n)
	var errs [3]error
	v.Salt, errs[0] = base64.StdEncoding.Strict().DecodeString(salt)
	v.StoredKey, errs[1] = base64.StdEncoding.Strict().DecodeString(stored)
	v.ServerKey, errs[2] = base64.StdEncoding.Strict().DecodeString(server)
	if errors.Join(errs[:]...) != nil || len(v.Salt) < 8 || len(v.Salt) > 64 || len(v.StoredKey) != sha256.Size || len(v.ServerKey) != sha256.Size {
		return v, errors.New("salt and keys of SCRAM are base64, of 8 to 64 and of 32 octets")
	}
	return v, nil
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails
	return b
}
