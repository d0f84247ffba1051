// Package lane is the queue in front of one destination: how many connections
// work on it, who gets the next job, and when those that found no room are to
// come back.
//
// Its rule: a lane that is full or slow costs the other lanes nothing. It
// keeps a bounded number of jobs in memory; whoever finds no place is given an
// appointment, spread over the time that the lane will need, and waits in the
// spool.
package lane
