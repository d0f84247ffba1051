package classify

import "strings"

// fragment is a literal piece of text that a rule looks for. It is matched as
// whole words, so that "spam" is not found in "anti-spam.example.org"; a star at
// either end lifts that there.
type fragment struct {
	text                string
	openLeft, openRight bool
}

func newFragment(pattern string) fragment {
	f := fragment{text: strings.ToLower(pattern)}
	f.text, f.openLeft = strings.CutPrefix(f.text, "*")
	f.text, f.openRight = strings.CutSuffix(f.text, "*")
	return f
}

// fits tells whether the fragment's text, found at text[start:end], stands
// there as whole words.
func (f *fragment) fits(text []byte, start, end int) bool {
	if !f.openLeft && isWord(text[start]) && joinedLeft(text, start) {
		return false
	}
	return f.openRight || !isWord(text[end-1]) || !joinedRight(text, end)
}

// joinedLeft tells whether what begins at i goes on with a word before it, or
// is a part of a name of hosts, files or addresses.
func joinedLeft(text []byte, i int) bool {
	if i == 0 {
		return false
	}
	return isWord(text[i-1]) || isJoiner(text[i-1]) && i > 1 && isWord(text[i-2])
}

func joinedRight(text []byte, i int) bool {
	if i == len(text) {
		return false
	}
	return isWord(text[i]) || isJoiner(text[i]) && i+1 < len(text) && isWord(text[i+1])
}

// isWord reports a letter or digit of ASCII. Others do not count: Chinese and
// Japanese write no spaces between words.
func isWord(c byte) bool { return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' }

func isJoiner(c byte) bool { return c == '.' || c == '-' || c == '_' || c == '@' || c == '/' }

// appendFolded appends text in lower case, each run of white space and control
// characters made one space.
func appendFolded(dst []byte, text string) []byte {
	for i := range len(text) {
		c := text[i]
		switch {
		case c >= 'A' && c <= 'Z':
			c += 'a' - 'A'
		case c <= ' ' || c == 0x7f:
			if len(dst) == 0 || dst[len(dst)-1] == ' ' {
				continue
			}
			c = ' '
		case c == 0xd0 && i+1 < len(text) && text[i+1] >= 0x90 && text[i+1] <= 0x9f:
			// А-П: the small letter is 0x20 further.
			dst = append(dst, 0xd0)
			continue
		case c >= 0x90 && c <= 0xaf && i > 0 && text[i-1] == 0xd0:
			dst = lowerCyrillic(dst, c)
			continue
		case c >= 0x80 && c <= 0x9e && c != 0x97 && i > 0 && text[i-1] == 0xc3:
			c += 0x20 // À-Þ
		}
		dst = append(dst, c)
	}
	return dst
}

// lowerCyrillic appends the second octet of the small letter of А-Я, whose first
// octet, 0xd0, is the last of dst.
func lowerCyrillic(dst []byte, c byte) []byte {
	if c < 0xa0 {
		return append(dst, c+0x20)
	}
	dst[len(dst)-1] = 0xd1
	return append(dst, c-0x20)
}
