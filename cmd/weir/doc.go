// Command weir is the relay and the commands that steer it: serve, config, queue,
// status, why, drain, resume, ready, version. There is a file for each verb.
//
// Its rule: a verb reads its arguments and calls one package. What it prints
// on the standard output is its result; what it says beside that goes to the
// standard error output. Exit codes are those of sysexits.h; status and ready,
// which others watch, have those of the plug-ins of monitoring systems.
package main
