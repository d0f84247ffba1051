// Package systemd tells the service manager how the relay is (sd_notify(3)).
//
// Its rule: without a manager that wants to know it does nothing, and a message
// that cannot be sent changes nothing: it is returned as an error, for the log.
package systemd
