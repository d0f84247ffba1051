package admin

import (
	"testing"
	"time"

	"github.com/weirmail/weir/internal/admin/api"
	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/smtp"
)

func TestFilterChooses(t *testing.T) {
	yes, no := true, false
	e := &mail.Envelope{
		Arrived:     epoch,
		ReversePath: smtp.Path{Local: "news", Domain: "example.com"},
		Held:        true,
		Recipients: []mail.Recipient{
			{Path: smtp.Path{Local: "ada", Domain: "example.org"}, Progress: mail.Progress{State: mail.Failed}},
			{Path: smtp.Path{Local: "bob", Domain: "mail.example.net"}},
		},
	}
	for _, f := range []api.Filter{
		{},
		{Sender: "news@example.com"},
		{Sender: "<News@EXAMPLE.com>"},
		{Sender: "@example.com"},
		{Recipient: "bob@mail.example.net"},
		{Recipient: "@example.org"},
		{Domain: "Example.Org"},
		{Domain: ".example.net"},
		{OlderThan: api.Duration(time.Hour)},
		{Held: &yes},
		{State: "waiting"},
		{Recipient: "ada@example.org", Domain: "example.org", State: "failed"},
	} {
		if !matcher(f, epoch.Add(time.Hour))(e) {
			t.Errorf("%+v does not fit", f)
		}
	}
	for _, f := range []api.Filter{
		{Sender: "<>"},
		{Sender: "<news@example.com"},
		{Sender: "ews@example.com"},
		{Sender: "@ample.com"},
		{Recipient: "news@example.com"},
		{Domain: ".example.org"},
		{Domain: "net"},
		{Domain: ".net.example.net"},
		{OlderThan: api.Duration(time.Hour + 1)},
		{Held: &no},
		{State: "expired"},
		{Recipient: "ada@example.org", State: "waiting"},
	} {
		if matcher(f, epoch.Add(time.Hour))(e) {
			t.Errorf("%+v fits", f)
		}
	}
	if !matcher(api.Filter{Sender: "<>"}, epoch)(&mail.Envelope{}) {
		t.Error("<> does not choose the null reverse-path")
	}
}
