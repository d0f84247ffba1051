// Package proxy lets a listener stand behind proxies that tell by the PROXY
// protocol, version 1 or 2, whom they speak for.
//
// Its rule: who says so is asked before what it says is. Only connections from
// trusted networks begin with a header, and each of them must; of all others not
// one octet is read here. What is taken from a connection is the header and
// nothing behind it, and the connection stays the socket that it is, so that the
// server may wait on its descriptor.
package proxy
