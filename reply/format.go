package reply

// MaxLine is the longest line of a reply, with its code and its line end
// (RFC 5321 section 4.5.3.1.5).
const MaxLine = 512

// Append appends the reply as it goes over the wire (RFC 5321 section 4.2.1):
// each line with the code, the enhanced status code where there is one
// (RFC 2034 section 4 wants it on every line), and CRLF. Control characters
// in the text become spaces. Text that would make a line longer than
// [MaxLine] is continued on a line of its own.
func (r Reply) Append(dst []byte) []byte {
	if len(r.Lines) == 0 {
		return r.appendLine(dst, "", true)
	}
	for i, line := range r.Lines {
		last := i == len(r.Lines)-1
		for len(line) > maxText {
			cut := cutAt(line)
			dst = r.appendLine(dst, line[:cut], false)
			line = line[cut:]
		}
		dst = r.appendLine(dst, line, last)
	}
	return dst
}

// maxText is the room for text in a line: MaxLine without the code and its
// separator, the longest enhanced status code with a space, and CRLF.
const maxText = MaxLine - len("421-5.999.999 \r\n")

// cutAt returns where to cut a line that is too long: at the last space
// within the room, else at the room's end but not inside of a character.
func cutAt(line string) int {
	for i := maxText; i > maxText/2; i-- {
		if line[i-1] == ' ' {
			return i
		}
	}
	for i := maxText; i > maxText-4; i-- {
		if line[i]&0xC0 != 0x80 {
			return i
		}
	}
	return maxText
}

func (r Reply) appendLine(dst []byte, text string, last bool) []byte {
	dst = append(dst, '0'+byte(r.Code/100%10), '0'+byte(r.Code/10%10), '0'+byte(r.Code%10))
	separator := byte('-')
	if last {
		separator = ' '
	}
	dst = append(dst, separator)
	if e := r.Enhanced(); !e.IsZero() {
		dst = e.append(dst)
		if text != "" {
			dst = append(dst, ' ')
		}
	}
	return append(appendText(dst, text), '\r', '\n')
}

// appendText appends text with its control characters replaced by spaces.
func appendText(dst []byte, text string) []byte {
	start := len(dst)
	dst = append(dst, text...)
	for i := start; i < len(dst); i++ {
		if dst[i] < ' ' || dst[i] == 0x7f {
			dst[i] = ' '
		}
	}
	return dst
}
