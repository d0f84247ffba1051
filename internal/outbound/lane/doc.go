// Package lane is the queue in front of one destination: how many connections
// work on it, how many messages a second are handed over, who goes next, and when
// those that found no place are to come back. It learns the first two from the
// receiver, who says when it gets too much.
//
// Its rule: a lane that is full, slow or suspended costs the other lanes nothing. It
// keeps a bounded number of jobs in memory; whoever finds no place is given an
// appointment, spread over the time that the lane will need, and waits in the
// spool. Nothing here knows what a job is, or reads a reply: the window, the pace
// and the halt are arithmetic on what they are told.
package lane
