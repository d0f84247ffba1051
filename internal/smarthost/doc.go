// Package smarthost knows the providers that take mail for others: where they
// listen, how they want to be spoken to, and what their limits are. It is what
// stands behind smarthost = "ses:eu-west-1" in the configuration.
//
// The rule that it keeps: a provider is data and never code. All of it stands
// in providers.toml, each entry with the page that it is from and its date. A
// test holds the entries together: every port has its TLS, every entry has a
// source.
package smarthost
