package smtp

import (
	"fmt"
	"math"
	"testing"
	"time"
)

func TestParseDeliverBy(t *testing.T) {
	for s, want := range map[string]DeliverBy{
		"120;R":         {120, DeliverByReturn, false},
		"120;r":         {120, DeliverByReturn, false},
		"+1;RT":         {1, DeliverByReturn, true},
		"0;N":           {0, DeliverByNotify, false},
		"-0;N":          {0, DeliverByNotify, false},
		"-15;nt":        {-15, DeliverByNotify, true},
		"999999999;NT":  {999999999, DeliverByNotify, true},
		"-999999999;NT": {-999999999, DeliverByNotify, true},
		"000000001;R":   {1, DeliverByReturn, false},
	} {
		if got, err := ParseDeliverBy(s); err != nil || got != want {
			t.Errorf("ParseDeliverBy(%q) = %+v, %v; want %+v", s, got, err, want)
		}
	}
}

func TestParseDeliverByBad(t *testing.T) {
	for rule, s := range map[string]string{
		"empty":                 "",
		"no mode":               "120",
		"no mode after it":      "120;",
		"no time":               ";R",
		"only a sign":           "-;N",
		"two signs":             "+-1;N",
		"4 zero with R":         "0;R",
		"4 below zero with R":   "-1;R",
		"4 zero with R, traced": "-0;RT",
		"4 ten digits":          "1000000000;R",
		"4 ten digits, zeros":   "0000000001;R",
		"unknown mode":          "120;X",
		"trace in front":        "120;TR",
		"twice T":               "120;RTT",
		"both modes":            "120;RN",
		"space":                 "120; R",
		"comma":                 "120,R",
		"fraction":              "1.5;R",
		"other digits":          "\u0661;R",
		"NUL":                   "120;R\x00",
	} {
		got, err := ParseDeliverBy(s)
		wantSyntaxError(t, rule+": "+s, err, PartValue)
		if !got.IsZero() {
			t.Errorf("%s: %+v beside the error", rule, got)
		}
	}
}

func TestDeliverByWrites(t *testing.T) {
	for want, d := range map[string]DeliverBy{
		"":             {Seconds: 5},
		"5;R":          {5, DeliverByReturn, false},
		"-5;NT":        {-5, DeliverByNotify, true},
		"999999999;N":  {math.MaxInt64, DeliverByNotify, false},
		"-999999999;N": {math.MinInt64, DeliverByNotify, false},
	} {
		if got := d.String(); got != want {
			t.Errorf("%+v writes %q, want %q", d, got, want)
		}
	}
	longest := " BY=" + DeliverBy{-maxDeliverBy, DeliverByReturn, true}.String()
	if len(longest) != ExtraMailDeliverBy {
		t.Errorf("%q has %d octets, and room for %d", longest, len(longest), ExtraMailDeliverBy)
	}
}

func TestCapabilitiesDeliverBy(t *testing.T) {
	for line, want := range map[string]string{
		"DELIVERBY":              "0s true",
		"DELIVERBY 240":          "4m0s true",
		"DELIVERBY 240,future=1": "4m0s true",
		"DELIVERBY ,future":      "0s true",
		"DELIVERBY soon":         "0s true",
		"DELIVERBY -1":           "0s true",
		"DELIVERBY 10000000000":  "0s true",
		"DSN":                    "0s false",
	} {
		least, offered := ParseCapabilities([]string{line}).DeliverBy()
		if got := fmt.Sprint(least, offered); got != want {
			t.Errorf("%q: %s, want %s", line, got, want)
		}
	}
}

func FuzzParseDeliverBy(f *testing.F) {
	for _, s := range []string{"120;R", "-15;nt", "+0;N", "0;R", "999999999;RT", ";", "1;1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDeliverBy(s)
		if err != nil {
			wantSyntaxError(t, s, err, PartValue)
			return
		}
		if again, err := ParseDeliverBy(d.String()); err != nil || again != d {
			t.Errorf("%q became %q, which reads as %+v, %v", s, d, again, err)
		}
		if least, _ := ParseCapabilities([]string{"DELIVERBY " + s}).DeliverBy(); least < 0 || least > maxDeliverBy*time.Second {
			t.Errorf("DELIVERBY %q is a least time of %v", s, least)
		}
	})
}
