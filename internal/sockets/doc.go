// Package sockets opens the listening sockets of a relay, or takes those that it
// was given: by systemd (sd_listen_fds(3)), or by the relay that it takes over
// from, which gives them in the same way.
//
// Its rule: a socket that was given is never opened anew, and whoever connects
// while one relay goes and the next comes waits in the socket's own queue. The
// protocol is a few environment variables and descriptors from 3 on; it is
// written here because a relay also has to speak it as the one that gives, which
// no library does.
package sockets
