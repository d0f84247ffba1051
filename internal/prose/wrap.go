package prose

import (
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// Width is how many columns a text takes in a terminal.
func Width(s string) int {
	n := 0
	for _, r := range s {
		n += runeWidth(r)
	}
	return n
}

// runeWidth is how many columns a character takes: two for the wide ones of
// East Asia, none for marks that are put upon another.
func runeWidth(r rune) int {
	if unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) {
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// Wrap breaks a text into lines of at most so many columns: at blanks, and
// beside wide characters, which have none between words. A word that is longer
// than a line stays whole.
func Wrap(text string, columns int) []string {
	var lines []string
	var line strings.Builder
	used := 0
	for _, piece := range pieces(text) {
		n := Width(piece)
		if used > 0 && used+Width(strings.TrimRight(piece, " ")) > columns {
			lines = append(lines, strings.TrimRight(line.String(), " "))
			line.Reset()
			used = 0
		}
		line.WriteString(piece)
		used += n
	}
	if used > 0 || len(lines) == 0 {
		lines = append(lines, strings.TrimRight(line.String(), " "))
	}
	return lines
}

// pieces cuts a text where a line may end.
func pieces(text string) []string {
	var all []string
	begin := 0
	var before rune
	for i, r := range text {
		if i > begin && mayBreak(before, r) {
			all = append(all, text[begin:i])
			begin = i
		}
		before = r
	}
	if begin < len(text) {
		all = append(all, text[begin:])
	}
	return all
}

// The characters that do not begin a line, or do not end one.
const (
	notFirst = "、。，．：；？！）」』】〉》〕”’…‥・％々〻ー～〜ゝゞヽヾぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ,.:;?!)]}"
	notLast  = "（「『【〈《〔“‘([{"
)

// MayBegin tells whether a line may begin with a character.
func MayBegin(r rune) bool { return !strings.ContainsRune(notFirst, r) }

// MayEnd tells whether a line may end with a character.
func MayEnd(r rune) bool { return !strings.ContainsRune(notLast, r) }

func mayBreak(before, after rune) bool {
	switch {
	case after == ' ':
		return false
	case before == ' ':
		return true
	case !MayBegin(after) || !MayEnd(before):
		return false
	case runeWidth(after) == 0:
		return false
	}
	// Hangul has blanks between words, and is broken there alone.
	return runeWidth(before) == 2 && !unicode.Is(unicode.Hangul, before) ||
		runeWidth(after) == 2 && !unicode.Is(unicode.Hangul, after)
}
