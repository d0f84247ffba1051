package sign

import (
	"bytes"
	"io"
)

// maxHeader is the longest header section that is signed, in octets. It is held in
// memory, and no honest one is near to it.
const maxHeader = 1 << 20

// field is one header field.
type field struct {
	name string // in lower case
	raw  []byte // name, colon, value and line ends
}

// splitHeader returns the header section at the start of b without the empty line
// behind it, and what follows that. ok is false where b ends before the empty line.
// A line ends in LF, mostly with CR before it.
func splitHeader(b []byte) (header, body []byte, ok bool) {
	for at := 0; ; {
		end := bytes.IndexByte(b[at:], '\n')
		if end < 0 {
			return b, nil, false
		}
		if line := b[at : at+end]; len(line) == 0 || len(line) == 1 && line[0] == '\r' {
			return b[:at], b[at+end+1:], true
		}
		at += end + 1
	}
}

// readHeader reads the header section from the start of a content, and what it has
// read beyond it. A content that ends within its header section has no body.
func readHeader(r io.Reader) (header, begun []byte, err error) {
	b := make([]byte, 0, 16<<10)
	for {
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		// What was looked at before is looked at again: header sections that
		// take several reads are few.
		if header, begun, ok := splitHeader(b); ok {
			return header, begun, nil
		}
		switch {
		case err == io.EOF:
			return b, nil, nil
		case err != nil:
			return nil, nil, err
		case len(b) >= maxHeader:
			return nil, nil, errHeaderTooLong
		case len(b) == cap(b):
			b = append(make([]byte, 0, 2*cap(b)), b...)
		}
	}
}

// fields takes a header section apart. A line that is no field and goes on with none
// is left out: no signature can cover it.
func fields(header []byte) []field {
	var all []field
	open := false // the last line was of a field
	for len(header) > 0 {
		end := bytes.IndexByte(header, '\n') + 1
		if end == 0 {
			end = len(header)
		}
		line := header[:end]
		header = header[end:]
		if line[0] == ' ' || line[0] == '\t' {
			if open {
				last := &all[len(all)-1]
				last.raw = last.raw[:len(last.raw)+len(line)] // they lie one behind the other
			}
			continue
		}
		colon := bytes.IndexByte(line, ':')
		name := bytes.TrimRight(line[:max(colon, 0)], " \t")
		if open = len(name) > 0 && isFieldName(name); open {
			all = append(all, field{string(bytes.ToLower(name)), line})
		}
	}
	return all
}

// isFieldName tells whether a name is one of RFC 5322 section 3.6.8.
func isFieldName(name []byte) bool {
	for _, c := range name {
		if c <= ' ' || c > '~' || c == ':' {
			return false
		}
	}
	return true
}

// value returns what stands behind the colon, line ends and all.
func (f *field) value() []byte { return f.raw[bytes.IndexByte(f.raw, ':')+1:] }

// appendRelaxed appends the field in its relaxed form (RFC 6376 section 3.4.2).
func (f *field) appendRelaxed(dst []byte) []byte {
	dst = append(append(dst, f.name...), ':')
	return append(appendUnfolded(dst, f.value()), "\r\n"...)
}

// appendUnfolded appends a value with each run of blanks and line ends as one
// space, and none at its ends.
func appendUnfolded(dst, value []byte) []byte {
	begin := len(dst)
	blank := false
	for _, c := range value {
		if c == ' ' || c == '\t' || c == '\r' || c == '\n' {
			blank = true
			continue
		}
		if blank && len(dst) > begin {
			dst = append(dst, ' ')
		}
		blank = false
		dst = append(dst, c)
	}
	return dst
}
