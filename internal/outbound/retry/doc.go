// Package retry is the timetable of attempts: when a recipient that could not
// be reached is tried again, when its sender is told, and when it is given up.
//
// Its rule: it is arithmetic and nothing else. The clock and the randomness
// come in as numbers.
package retry
