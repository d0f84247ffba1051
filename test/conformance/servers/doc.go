// Package servers starts the servers that the dialogues are played against: a
// Weir, and Debian's Postfix and OpenSMTPD beside it.
//
// Its rule: each runs on loopback, with a configuration, a queue and a log of its
// own in the folder that it is given, and as its package sets it up; nothing of an
// installed mail server is touched. All of them know the client for a stranger,
// take mail for example.org, and deliver none.
package servers
