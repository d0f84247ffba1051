package auth

import (
	"encoding/json"
	"strings"
)

// bearer is OAUTHBEARER (RFC 7628) and XOAUTH2, its older form: the client has a token
// of an issuer that the relay asks about.
type bearer struct {
	base
	failure error // has been told as a challenge, and is the answer to what comes next
}

// Next takes the token. A token that is not good is told by a challenge, which the
// client answers with nothing, and only then by the failure (RFC 7628 section 3.2.2).
func (b *bearer) Next(response []byte) ([]byte, bool, error) {
	switch {
	case b.failure != nil:
		return nil, false, b.failure
	case response == nil:
		return []byte{}, false, nil
	}
	parse := parseXOAUTH2
	if b.mechanism == OAUTHBEARER {
		parse = parseOAUTHBEARER
	}
	authzid, token, err := parse(string(response))
	if err != nil {
		return nil, false, err
	}
	err = b.check(authzid, token)
	switch kindOf(err) {
	case 0:
		return nil, true, nil
	case Denied:
		b.failure = err
		return b.challenge(), false, nil
	}
	return nil, false, err
}

func (b *bearer) check(authzid, token string) error {
	who, err := b.service.options.Tokens.CheckToken(b.ctx, token)
	if err != nil {
		return err
	}
	if who, err = b.service.vouched(who, b.mechanism); err != nil {
		return err
	}
	if !actsFor(authzid, who.Account) {
		return denied(who.Account, "the token is for another account than the client names")
	}
	b.who = who
	return nil
}

// challenge says why a token is not good.
func (b *bearer) challenge() []byte {
	status := struct {
		Status  string `json:"status"`
		Schemes string `json:"schemes"`
		Scope   string `json:"scope,omitempty"`
	}{"invalid_token", "bearer", b.service.options.Tokens.Scope()}
	if b.mechanism == XOAUTH2 {
		status.Status = "401" // what its clients look for
	}
	text, _ := json.Marshal(status) // strings can always be written
	return text
}

// keyEnd ends each of the key-value pairs of both forms.
const keyEnd = "\x01"

// parseOAUTHBEARER reads a message of RFC 7628 section 3.1: a GS2 header, and pairs.
func parseOAUTHBEARER(message string) (authzid, token string, err error) {
	header, rest, ok := strings.Cut(message, keyEnd)
	words := strings.Split(header, ",")
	if !ok || len(words) != 3 || words[2] != "" || words[0] != "n" && words[0] != "y" {
		return "", "", malformed("the message of OAUTHBEARER does not begin with n,, or n,a=name,")
	}
	if words[1] != "" {
		name, isName := strings.CutPrefix(words[1], "a=")
		if !isName || name == "" {
			return "", "", malformed("the name in the header of OAUTHBEARER is not written a=name")
		}
		authzid = gs2Names.Replace(name)
	}
	token, err = parsePairs(rest, nil)
	return authzid, token, err
}

// gs2Names undoes what names are written with (RFC 5801 section 4).
var gs2Names = strings.NewReplacer("=2C", ",", "=3D", "=")

// parseXOAUTH2 reads the older form: pairs, the first of which is the user.
func parseXOAUTH2(message string) (authzid, token string, err error) {
	token, err = parsePairs(message, &authzid)
	if err == nil && authzid == "" {
		err = malformed("the message of XOAUTH2 names no user")
	}
	return authzid, token, err
}

// parsePairs finds the token among pairs, and the user where that is wanted.
func parsePairs(pairs string, user *string) (token string, err error) {
	body, ended := strings.CutSuffix(pairs, keyEnd+keyEnd)
	if !ended {
		return "", malformed("the pairs of the message do not end with two 0x01")
	}
	for pair := range strings.SplitSeq(body, keyEnd) {
		key, value, ok := strings.Cut(pair, "=")
		switch {
		case !ok || key == "":
			return "", malformed("a pair of the message is not written key=value")
		case key == "user" && user != nil:
			*user = value
		case key == "auth" && token != "":
			return "", malformed("there are two tokens in the message")
		case key == "auth":
			if token, err = parseBearer(value); err != nil {
				return "", err
			}
		}
	}
	if token == "" {
		return "", malformed("there is no token in the message")
	}
	return token, nil
}

// maxToken bounds tokens, in octets.
const maxToken = 8 << 10

// parseBearer reads the value of an Authorization field (RFC 6750 section 2.1).
func parseBearer(value string) (string, error) {
	scheme, token, ok := strings.Cut(value, " ")
	token = strings.Trim(token, " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") || token == "" || len(token) > maxToken {
		return "", malformed("the token is not written Bearer and the token")
	}
	for i := range len(token) {
		if token[i] <= ' ' || token[i] >= 0x7f {
			return "", malformed("the token has characters that no token has")
		}
	}
	return token, nil
}
