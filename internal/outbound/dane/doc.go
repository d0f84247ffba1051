// Package dane checks the certificate of a server against what the DNS says of it
// (DANE for SMTP, RFC 7672).
//
// Its rule: only records that signatures prove come here, and what they say is all
// that counts: no authority of the system is asked, and where no record can be used
// the session is encrypted without knowing with whom.
package dane
