package auth

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// User is one account of a file.
type User struct {
	// Name is prepared.
	Name string
	// Senders are its reverse-paths; nil where the general rule holds.
	Senders Senders
	// Disabled accounts are kept, and may not be used.
	Disabled bool

	password verifier       // nil where there is none but for SCRAM
	scram    *SCRAMVerifier // nil where there is none
}

// verifier returns what a password is checked by; nil where the account has none.
func (u *User) verifier() verifier {
	switch {
	case u.password != nil:
		return u.password
	case u.scram != nil:
		return u.scram
	}
	return nil
}

// SetPassword replaces the password of the account, for the mechanisms that send it
// and, where scram is set, for SCRAM. Both are salted.
func (u *User) SetPassword(password string, scram bool) error {
	if err := checkPassword(password); err != nil {
		return err
	}
	u.password, u.scram = newArgon(password), nil
	if scram {
		v := newSCRAM(password)
		u.scram = &v
	}
	return nil
}

// Schemes names what is kept of the password, for people.
func (u *User) Schemes() []string {
	var names []string
	switch u.password.(type) {
	case *argon:
		names = append(names, "argon2id")
	case bcryptHash:
		names = append(names, "bcrypt")
	}
	if u.scram != nil {
		names = append(names, "scram-sha-256")
	}
	return names
}

// line is the account as it stands in the file.
func (u *User) line() string {
	words := []string{u.Name}
	if u.Disabled {
		words = append(words, "disabled")
	}
	if u.Senders != nil {
		words = append(words, "senders="+strings.Join(u.Senders, ","))
	}
	if u.password != nil {
		words = append(words, "password="+u.password.String())
	}
	if u.scram != nil {
		words = append(words, "scram="+u.scram.String())
	}
	return strings.Join(words, " ")
}

// parseUser reads a line: the name and then its fields, between spaces.
func parseUser(line string) (*User, error) {
	words := strings.Fields(line)
	name, err := PrepareName(words[0])
	if err != nil {
		return nil, err
	}
	u := &User{Name: name}
	seen := make([]string, 0, 4)
	for _, word := range words[1:] {
		key, value, _ := strings.Cut(word, "=")
		if slices.Contains(seen, key) {
			return nil, fmt.Errorf("the field %s is there twice", key)
		}
		seen = append(seen, key)
		if err := u.set(key, value, word); err != nil {
			return nil, err
		}
	}
	return u, nil
}

// set takes one field of a line. What is wrong with a value that is a secret is said
// without it.
func (u *User) set(key, value, word string) (err error) {
	switch {
	case word == "disabled":
		u.Disabled = true
	case key == "senders":
		u.Senders = Senders{}
		if value != "" {
			u.Senders, err = ParseSenders(strings.Split(value, ","))
		}
	case key == "password":
		u.password, err = parseVerifier(value)
		if _, ok := u.password.(*SCRAMVerifier); ok && err == nil {
			err = errors.New("a SCRAM verifier stands in the field scram")
		}
	case key == "scram":
		var v SCRAMVerifier
		v, err = parseSCRAM(value)
		u.scram = &v
	default:
		err = errors.New("a field is one of disabled, senders=, password= and scram=")
	}
	return err
}

// Users are the accounts of a file, in its order, with the comments between them. It
// is not safe for concurrent use.
type Users struct {
	lines  []usersLine
	byName map[string]*User
}

// usersLine is an account, or what else stands in a line.
type usersLine struct {
	user *User
	text string
}

// usersTitle begins a new file.
const usersTitle = `# Accounts that may send mail through Weir, one a line, as "weir user" writes them:
#   name [disabled] [senders=address,@domain,...] [password=hash] [scram=verifier]
`

// maxUsersFile bounds what is read of a file.
const maxUsersFile = 64 << 20

// ParseUsers reads the text of a file. Empty lines and those that begin with # are
// kept as they are.
func ParseUsers(text []byte) (*Users, error) {
	us := &Users{byName: make(map[string]*User)}
	number := 0
	for line := range bytes.Lines(text) {
		number++
		trimmed := strings.TrimSpace(string(line))
		if trimmed == "" || trimmed[0] == '#' {
			us.lines = append(us.lines, usersLine{text: trimmed})
			continue
		}
		u, err := parseUser(trimmed)
		if err == nil {
			err = us.Add(u)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
	}
	return us, nil
}

// Format writes the file.
func (us *Users) Format() []byte {
	var b bytes.Buffer
	for _, l := range us.lines {
		if l.user != nil {
			l.text = l.user.line()
		}
		b.WriteString(l.text + "\n")
	}
	return b.Bytes()
}

// Get returns an account by its prepared name, nil where there is none.
func (us *Users) Get(name string) *User { return us.byName[name] }

// All returns the accounts in the order of the file.
func (us *Users) All() []*User {
	all := make([]*User, 0, len(us.byName))
	for _, l := range us.lines {
		if l.user != nil {
			all = append(all, l.user)
		}
	}
	return all
}

// ErrUserExists and ErrNoUser are what is wrong with a name.
var (
	ErrUserExists = errors.New("there is an account of that name already")
	ErrNoUser     = errors.New("there is no account of that name")
)

// Add appends an account, whose name is prepared.
func (us *Users) Add(u *User) error {
	if us.byName[u.Name] != nil {
		return ErrUserExists
	}
	us.byName[u.Name] = u
	us.lines = append(us.lines, usersLine{user: u})
	return nil
}

// Remove takes an account away.
func (us *Users) Remove(name string) error {
	u := us.byName[name]
	if u == nil {
		return ErrNoUser
	}
	delete(us.byName, name)
	us.lines = slices.DeleteFunc(us.lines, func(l usersLine) bool { return l.user == u })
	return nil
}
