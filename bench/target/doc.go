// Package target runs the servers that are compared: Weir and Debian's
// Postfix.
//
// Its rule: each has a configuration of its own in a folder of its own, on the
// same disk, and is set up as somebody would who wants it to be fast and loses
// no mail. Nothing of an installed mail server is touched.
package target
