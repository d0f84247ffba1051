// Package vfs is the door to the disk. What Weir must not lose goes through
// it, so that a test can put a disk in its place that pulls the plug, runs
// full, answers slowly or fails at any call it likes.
//
// Its rule: no room opens a file of its own that has to survive a crash;
// it takes an [FS] at construction.
package vfs
