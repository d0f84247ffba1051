// Package config holds the settings of Weir: one struct, read from one TOML
// file and from the environment.
//
// The struct is the manual. The comments of its fields are printed by
// "weir config reference" and make up docs/configuration.md, so a key cannot
// exist without its explanation, and an explanation cannot outlive its key.
//
// The rule that this package keeps: a configuration is taken whole or not at
// all. [Load] reports every fault that it can find in one go, each with its
// place, the offending words and, where there is one, the right key or value.
// An unknown key is a fault, never ignored. What is legal but probably not
// meant is a warning, given back apart from the faults.
//
// A value is decided in this order: a command line flag, an environment
// variable, the file, the default.
//
// Nothing here opens a socket or touches the spool. The only files that are
// read are the configuration, the secrets that it points to, and the TLS
// certificate, because a certificate that does not load is a fault like any
// other and should be heard of before the relay is asked to stop.
package config
