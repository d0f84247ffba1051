package mail

import (
	"time"

	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
)

// Attempt is what came of one attempt for one recipient. The zero value means
// that none was made.
type Attempt struct {
	// At is when the attempt ended.
	At time.Time
	// Host is the next hop that was spoken to, as "mx.example.org" or an
	// address; empty where it came to none.
	Host string
	// Address is the IP address and port, or the socket, that was used.
	Address string
	// Stage is how far it came.
	Stage smtp.Stage
	// Reply is the reply that decided. It is zero where there was none.
	Reply reply.Reply
	// Problem says in words what went wrong where there was no reply:
	// "connection refused". It never holds a secret.
	Problem string
	// Reason is the token of the verdict, for example "mailbox-unknown".
	Reason string
}

// IsZero reports that no attempt was made.
func (a Attempt) IsZero() bool { return a.At.IsZero() }
