// Package tlsrpt counts how sessions with the hosts of domains were encrypted, and
// tells the domains that want to hear of it once a day (TLSRPT, RFC 8460).
//
// Its rule: a report has names and addresses of servers, and counts; nothing of any
// message, its sender or its recipients. What is counted of one domain is bounded,
// and what counts is kept across restarts.
package tlsrpt
