// Package prose lays out text for people in lines of a fixed width: in a terminal, in
// a plain mail.
//
// Its rule: a line is broken where the language breaks it, and nothing of the text
// is lost but blanks at the ends of lines.
package prose
