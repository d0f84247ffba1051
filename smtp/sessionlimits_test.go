package smtp

import "testing"

func TestCapabilitiesLimits(t *testing.T) {
	for line, want := range map[string]Limits{
		"LIMITS RCPTMAX=20 MAILMAX=5":                 {RcptMax: 20, MailMax: 5},
		"limits rcptmax=20 RcptDomainMax=3":           {RcptMax: 20, RcptDomainMax: 3},
		"LIMITS RCPTMAX=999999":                       {RcptMax: 999999},
		"LIMITS":                                      {},
		"LIMITS FUTURE=1 MAILMAX=7 FLAG":              {MailMax: 7},
		"LIMITS RCPTMAX=0 MAILMAX=7":                  {MailMax: 7},
		"LIMITS RCPTMAX=020 MAILMAX=7":                {MailMax: 7},
		"LIMITS RCPTMAX=1000000 MAILMAX=7":            {MailMax: 7},
		"LIMITS RCPTMAX=-1 MAILMAX=7":                 {MailMax: 7},
		"LIMITS RCPTMAX= RCPTMAX MAILMAX=x MAILMAX=7": {MailMax: 7},
		"LIMITS RCPTMAX=10=20 =5 =":                   {},
		"LIMITS RCPTMAX=20 RCPTMAX=10 RCPTMAX=30":     {RcptMax: 10},
	} {
		if got, offered := ParseCapabilities([]string{line}).Limits(); got != want || !offered {
			t.Errorf("%q reads as %+v, %v; want %+v", line, got, offered, want)
		}
	}
	if got, offered := ParseCapabilities([]string{"DSN"}).Limits(); got != (Limits{}) || offered {
		t.Errorf("limits out of nothing: %+v, %v", got, offered)
	}
}

func TestLimitsWrite(t *testing.T) {
	for want, l := range map[string]Limits{
		"": {RcptMax: -1},
		"RCPTMAX=1000 MAILMAX=100 RCPTDOMAINMAX=5": {1000, 100, 5},
		"MAILMAX=100":    {MailMax: 100},
		"RCPTMAX=999999": {RcptMax: 1 << 40},
	} {
		if got := l.String(); got != want {
			t.Errorf("%+v writes %q, want %q", l, got, want)
		}
	}
}

func FuzzLimits(f *testing.F) {
	f.Add("RCPTMAX=20 MAILMAX=5")
	f.Add("= =5 RCPTMAX=0 rcptdomainmax=999999 X")
	f.Fuzz(func(t *testing.T, args string) {
		l, _ := ParseCapabilities([]string{"LIMITS " + args}).Limits()
		if again, _ := ParseCapabilities([]string{"LIMITS " + l.String()}).Limits(); again != l {
			t.Errorf("%q is %+v, writes %q, reads as %+v", args, l, l.String(), again)
		}
	})
}
