// Package admission decides whether Weir takes on the next piece of work: a
// connection, a transaction, a recipient, a message.
//
// Its rule: it decides and does no input or output. What the sensors read is
// handed in, the clock and the randomness are handed in, and what it refuses
// it can explain: each refusal has a reason, a time to come back, and a record
// of the values and limits that led to it. A decision takes less than a
// microsecond and no lock that is held for longer than a few instructions.
//
// The parts: signals become one pressure on the [Board]; classes of clients
// are shed in proportion to it; the gate holds the slots and the waiting room;
// ledgers hold what is promised of memory and disk; rates bound the single
// client; the book of appointments spreads those who are sent away; the
// lifecycle says what the relay as a whole is doing. [Controller] joins them.
package admission
