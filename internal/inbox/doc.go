// Package inbox is the development inbox: a next hop inside the process that
// takes every message, and a page that shows them.
//
// Its rule: nothing leaves this machine, and nothing that a message holds gets
// power over the page or the process. Content is parsed within bounds and
// never trusted: HTML is shown in a frame without scripts that may load
// nothing, files are only ever offered for download, and the page answers to
// the names of this machine alone. The messages are in memory, the oldest make
// room for the newest, and all are gone when the process ends.
package inbox
