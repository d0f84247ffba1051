// Package smtpclient hands messages over to an SMTP or LMTP server: greeting,
// EHLO, STARTTLS, then one transaction after the other, each with as few turns
// as the server's extensions allow.
//
//	client, err := smtpclient.New(ctx, conn, smtpclient.Options{LocalName: "mail.example.org"})
//	result, err := client.Send(ctx, &smtpclient.Transaction{ … })
//
// The rule that it keeps: a reply is a result and never an error. What the server
// answered to a recipient is in the [Result], also where the connection is lost
// afterwards. An [Error] is for the session: connection lost, time out, protocol
// nonsense, 421; it tells the stage and whether the connection can still be used.
//
// How a transaction goes over the wire:
//
//   - With PIPELINING (RFC 2920) MAIL, every RCPT and DATA leave in one write.
//   - With PIPELINING and CHUNKING (RFC 3030) a message of up to 64 KiB leaves
//     together with its envelope, in one write. RFC 3030 section 2 makes the server
//     read and drop the chunk where it refuses the envelope.
//   - A larger message goes by BDAT, or by DATA where CHUNKING is not offered,
//     after a recipient has been accepted, and is never held in memory.
//   - Where all was refused, RSET goes ahead of the next transaction, in the same
//     write.
//
// The client uses what EHLO offered in this session and nothing else: a
// parameter whose extension is not offered, an address that would break out of
// its command line, or binary content without BINARYMIME is an error before
// anything is written.
//
// A client between two calls holds no buffer.
package smtpclient
