package attempt

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/smtp"
)

func TestRecipientsByTheLimitsOfThePeer(t *testing.T) {
	e := &mail.Envelope{}
	for i, domain := range strings.Fields("a.test b.test A.test c.test b.test") {
		e.Recipients = append(e.Recipients, mail.Recipient{Path: smtp.Path{Local: strconv.Itoa(i), Domain: domain}})
	}
	all := []int{0, 1, 2, 3, 4}
	for _, test := range []struct {
		name   string
		limits smtp.Limits
		rounds [][]int // on one connection, until nobody fits
	}{
		{"none", smtp.Limits{}, [][]int{all}},
		{"RCPTMAX", smtp.Limits{RcptMax: 2}, [][]int{{0, 1}, {2, 3}, {4}}},
		{"RCPTMAX of all", smtp.Limits{RcptMax: 5}, [][]int{all}},
		{"RCPTDOMAINMAX", smtp.Limits{RcptDomainMax: 1}, [][]int{{0, 2}}},
		{"RCPTDOMAINMAX of two", smtp.Limits{RcptDomainMax: 2}, [][]int{{0, 1, 2, 4}}},
		{"both", smtp.Limits{RcptMax: 2, RcptDomainMax: 2}, [][]int{{0, 1}, {2}, {4}}},
	} {
		c := &Connection{limits: test.limits}
		open := all
		for n, want := range test.rounds {
			got := c.Fits(e, open)
			if !slices.Equal(got, want) {
				t.Errorf("%s, round %d: %v, want %v", test.name, n, got, want)
			}
			open = slices.DeleteFunc(slices.Clone(open), func(i int) bool { return slices.Contains(got, i) })
		}
		if got := c.Fits(e, open); len(open) > 0 && len(got) > 0 {
			t.Errorf("%s: %v of %v still fit", test.name, got, open)
		}
	}
}

func TestAConnectionIsSpent(t *testing.T) {
	for _, test := range []struct {
		most, done int
		want       bool
	}{{0, 1000, false}, {3, 2, false}, {3, 3, true}} {
		c := &Connection{limits: smtp.Limits{MailMax: test.most}, Transactions: test.done}
		if c.Spent() != test.want {
			t.Errorf("MAILMAX=%d after %d: %v", test.most, test.done, c.Spent())
		}
	}
}
