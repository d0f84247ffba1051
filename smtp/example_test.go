package smtp_test

import (
	"fmt"

	"github.com/weirmail/weir/smtp"
)

func ExampleParseMail() {
	verb, args := smtp.ParseVerb([]byte("mail from: <user@example.org> BODY=8BITMIME"))
	path, params, err := smtp.ParseMail(args, nil)
	fmt.Println(verb, path, params[0].Keyword, params[0].Value, err)

	_, _, err = smtp.ParseMail([]byte("FROM:user@example.org"), nil)
	fmt.Println(err)
	// Output:
	// MAIL <user@example.org> BODY 8BITMIME <nil>
	// smtp: angle brackets: the address must be in angle brackets (at octet 5)
}

func ExampleDotDecoder() {
	received := []byte("Subject: dots\r\n\r\n..\r\n.\r\nQUIT\r\n")
	decoder := smtp.NewDotDecoder(smtp.RejectBare)
	content := make([]byte, len(received))
	n, used, done, err := decoder.Decode(content, received)
	fmt.Printf("%q %q %v %v %v\n", content[:n], received[used:], done, decoder.Bare(), err)
	// Output:
	// "Subject: dots\r\n\r\n.\r\n" "QUIT\r\n" true false <nil>
}
