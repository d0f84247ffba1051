package smarthost

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func all(t *testing.T) []Provider {
	t.Helper()
	providers, err := Providers()
	if err != nil {
		t.Fatal(err)
	}
	return providers
}

func TestEveryProviderIsComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range all(t) {
		for _, problem := range problems(&p) {
			t.Errorf("%s: %s", p.ID, problem)
		}
		if seen[p.ID] {
			t.Errorf("%s is there twice", p.ID)
		}
		seen[p.ID] = true
	}
	for _, id := range []string{"ses", "gmail", "googleworkspace", "microsoft365", "outlook", "mailgun", "sendgrid", "postmark", "brevo", "mailjet", "sparkpost", "fastmail", "zoho", "icloud", "yahoo", "gmx", "ionos", "ovh", "resend", "mandrill", "elasticemail", "smtp2go"} {
		if !seen[id] {
			t.Errorf("%s is missing", id)
		}
	}
}

var (
	idForm   = regexp.MustCompile(`^[a-z][a-z0-9]*$`)
	hostForm = regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)+$`)
	sizeForm = regexp.MustCompile(`^[0-9]+MB$`)
	rateForm = regexp.MustCompile(`^[0-9]+/1[smh]$`)
)

// known are the mechanisms that an entry may name.
var known = []string{"PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2", "OAUTHBEARER"}

// problems lists what is wrong with an entry.
func problems(p *Provider) (list []string) {
	check := func(ok bool, problem string) {
		if !ok {
			list = append(list, problem)
		}
	}
	check(idForm.MatchString(p.ID), "the id is not a word in lower case")
	check(p.Name != "", "it has no name")
	check(isHTTPS(p.Source), "its source is no page")
	_, err := time.Parse("2006-01", p.Dated)
	check(err == nil, "its date is no month")
	hosts := []string{strings.ReplaceAll(p.Host, "{region}", "eu-west-1")}
	for _, h := range p.Variants {
		hosts = append(hosts, h)
	}
	for _, h := range hosts {
		check(hostForm.MatchString(h), "the host "+h+" is none")
	}
	check(strings.Contains(p.Host, "{region}") == (len(p.Regions) > 0), "regions and the host do not agree")
	list = append(list, portProblems(p)...)
	check(len(p.Mechanisms) > 0, "it has no mechanisms")
	for _, m := range p.Mechanisms {
		check(slices.Contains(known, m), "the mechanism "+m+" is unknown")
	}
	tokens := slices.Contains(p.Mechanisms, "XOAUTH2") || slices.Contains(p.Mechanisms, "OAUTHBEARER")
	check(p.OAuth == nil || tokens, "it has OAuth and no mechanism for it")
	check((p.Username == "") != (p.UsernameHint == ""), "it has neither a user name nor a hint, or both")
	check(p.PasswordHint != "", "it says nothing of the password")
	check(p.Login == "" || p.LoginOptional(), "login is an unknown word")
	check(p.Size == "" || sizeForm.MatchString(p.Size), "the size cannot be read")
	check(p.Rate == "" || rateForm.MatchString(p.Rate) && p.PerSecond() > 0, "the rate cannot be read")
	if p.OAuth != nil {
		list = append(list, oauthProblems(p.OAuth)...)
	}
	return list
}

func portProblems(p *Provider) (list []string) {
	seen := map[uint16]bool{}
	for _, port := range p.Ports() {
		switch {
		case seen[port.Number]:
			list = append(list, "a port is there twice")
		case port.Number == 465 && !port.Implicit:
			list = append(list, "465 is a port with TLS from the first byte")
		case port.Implicit && (port.Number == 587 || port.Number == 25):
			list = append(list, "587 and 25 begin in plain text")
		}
		seen[port.Number] = true
	}
	switch {
	case len(seen) == 0:
		list = append(list, "it has no ports")
	case p.Prefer != "" && (p.Prefer != "implicit" || len(p.Implicit) == 0):
		list = append(list, "what it prefers it does not have")
	case p.Ports()[0].Number == 25:
		list = append(list, "port 25 is closed in too many networks to be the first")
	}
	return list
}

func oauthProblems(o *OAuth) (list []string) {
	for _, u := range []string{o.Authorize, o.Token, o.Device} {
		if u != "" && !isHTTPS(u) {
			list = append(list, "the endpoint "+u+" is none")
		}
		if strings.Contains(u, "{tenant}") && o.Tenant == "" {
			list = append(list, "it has no tenant")
		}
	}
	switch {
	case o.Token == "":
		list = append(list, "it has no token endpoint")
	case o.Authorize == "" && o.Device == "":
		list = append(list, "nobody can log in")
	case o.Scope == "":
		list = append(list, "it has no scope")
	}
	return list
}

func isHTTPS(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme == "https" && u.Host != ""
}

// The checks can fail.
func TestAnIncompleteProviderIsFound(t *testing.T) {
	whole := all(t)[0]
	if p := problems(&whole); len(p) > 0 {
		t.Fatal(p)
	}
	for name, spoil := range map[string]func(*Provider){
		"no source":            func(p *Provider) { p.Source = "" },
		"no date":              func(p *Provider) { p.Dated = "today" },
		"no region":            func(p *Provider) { p.Regions = nil },
		"implicit TLS on 587":  func(p *Provider) { p.STARTTLS, p.Implicit = nil, []uint16{587} },
		"STARTTLS on 465":      func(p *Provider) { p.STARTTLS = []uint16{465}; p.Implicit = nil },
		"a mechanism of none":  func(p *Provider) { p.Mechanisms = []string{"MAGIC"} },
		"a preference of none": func(p *Provider) { p.Implicit, p.Prefer = nil, "implicit" },
		"OAuth without tokens": func(p *Provider) {
			p.OAuth = &OAuth{Token: "https://example.org/", Device: "https://example.org/", Scope: "a"}
		},
		"no user name": func(p *Provider) { p.UsernameHint = "" },
	} {
		p := whole
		spoil(&p)
		if len(problems(&p)) == 0 {
			t.Errorf("%s is not found", name)
		}
	}
}

func TestChoose(t *testing.T) {
	for name, want := range map[string]string{
		"gmail":              "smtp.gmail.com:587",
		"Gmail:465":          "smtp.gmail.com:465 implicit",
		"ses:eu-west-1":      "email-smtp.eu-west-1.amazonaws.com:587",
		"ses:eu-west-1:2465": "email-smtp.eu-west-1.amazonaws.com:2465 implicit",
		"ses:eu-north-9":     "email-smtp.eu-north-9.amazonaws.com:587", // opened after this was written
		"mailgun":            "smtp.mailgun.org:587",
		"mailgun:eu":         "smtp.eu.mailgun.org:587",
		"mailgun:eu:2525":    "smtp.eu.mailgun.org:2525",
		"fastmail":           "smtp.fastmail.com:465 implicit",
		"microsoft365":       "smtp.office365.com:587",
	} {
		c, err := Choose(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := c.Host + ":" + strconv.Itoa(int(c.Port.Number))
		if c.Port.Implicit {
			got += " implicit"
		}
		if got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}

func TestWhatCannotBeChosenSaysWhatWouldBeRight(t *testing.T) {
	for name, want := range map[string]string{
		"":                  `"weir smarthosts" lists them`,
		"example.org":       `"weir smarthosts" lists them`,
		"office365":         `did you mean "microsoft365"?`,
		"sendinblue":        `did you mean "brevo"?`,
		"ses":               `such as "ses:us-east-1"`,
		"ses:europe":        "eu-west-1",
		"ses:eu-west-1:993": "its ports are 587, 2587, 25, 465, 2465",
		"mailgun:mars":      `with one of eu behind the colon`,
		"gmail:eu":          `write "gmail"`,
		"gmail:eu:us":       `write "gmail"`,
		"gmail:99999999":    "its ports are 587, 465",
	} {
		_, err := Choose(name)
		e, ok := err.(*Error)
		if !ok {
			t.Errorf("%q: %v", name, err)
			continue
		}
		if !strings.Contains(e.Suggestion, want) {
			t.Errorf("%q suggests %q, want %q", name, e.Suggestion, want)
		}
	}
}

func TestTenant(t *testing.T) {
	c, err := Choose("microsoft365")
	if err != nil {
		t.Fatal(err)
	}
	_, token, _ := c.Provider.OAuth.Endpoints("")
	if want := "https://login.microsoftonline.com/organizations/oauth2/v2.0/token"; token != want {
		t.Errorf("%s, want %s", token, want)
	}
	_, token, _ = c.Provider.OAuth.Endpoints("example.org")
	if want := "https://login.microsoftonline.com/example.org/oauth2/v2.0/token"; token != want {
		t.Errorf("%s, want %s", token, want)
	}
}

func FuzzChoose(f *testing.F) {
	for _, s := range []string{"gmail", "ses:eu-west-1:2465", "::", "mailgun:eu", "ses:a-b-1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := Choose(s)
		if err != nil {
			return
		}
		if !hostForm.MatchString(c.Host) || c.Port.Number == 0 {
			t.Errorf("%q gives %s:%d", s, c.Host, c.Port.Number)
		}
	})
}
