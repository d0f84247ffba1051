// Package resources holds the sensors of the machine: memory, the delay of the
// processor, disk room, descriptors and the queues of listening sockets. Each
// reading is a value with its unit, the limit that it is to be held against,
// and where that limit was found; or it is unavailable, with the reason in
// words.
//
// Its rule: it measures and does not judge. What a value means for mail is
// decided elsewhere, so nothing here knows of SMTP. A sensor that cannot read
// is a state and never an error: the others go on.
package resources
