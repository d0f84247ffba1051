package catalog

import (
	"strings"

	"github.com/weirmail/weir/reply/catalog/classify"
)

// judge tells what a reply means, apart from the words for it.
func judge(in classify.Input) classify.Result { return classify.Default().Classify(in) }

// first takes the first reply of a text apart. A text without a code may still
// tell a failure, such as a connection that was refused.
func first(text string, options Options) classify.Input {
	found := classify.Parse(text)
	if len(found) == 0 {
		return classify.Input{}
	}
	return options.applied(found[0])
}

// all takes all replies of a text apart.
func all(text string, options Options) []classify.Input {
	var inputs []classify.Input
	for piece := range chunks(text, maxChunk) {
		for _, in := range classify.Find(piece) {
			inputs = append(inputs, options.applied(in))
		}
	}
	return inputs
}

func (o *Options) applied(in classify.Input) classify.Input {
	if o.Stage != classify.StageUnknown {
		in.Stage = o.Stage
	}
	if o.Host != "" {
		in.Host = o.Host
	}
	return in
}

// maxChunk is how much of a file is looked at together. It is more than a
// bounce has before the message that it returns.
const maxChunk = 1 << 20

// chunks cuts a long text: before the messages of a mailbox (RFC 4155), else
// between lines. A message that is longer than the limit is cut too.
func chunks(text string, limit int) func(yield func(string) bool) {
	const separator = "\nFrom "
	return func(yield func(string) bool) {
		mailbox := strings.HasPrefix(text, "From ")
		for text != "" {
			end := len(text)
			if mailbox {
				if next := strings.Index(text, separator); next >= 0 {
					end = next + 1
				}
			}
			if end > limit {
				end = limit
				if line := strings.LastIndexByte(text[:end], '\n'); line > 0 {
					end = line + 1
				}
			}
			if !yield(text[:end]) {
				return
			}
			text = text[end:]
		}
	}
}
