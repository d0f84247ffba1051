package target

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
)

// Bucket is one step of a histogram: how many took no longer than Seconds.
type Bucket struct {
	Seconds float64
	Count   float64
}

// Accepting tells how long those who were accepted have taken, from the moment that
// Weir had their connection to its 250, since it started. The last bucket is infinite.
func (w *Weir) Accepting(ctx context.Context) ([]Bucket, error) {
	client := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", w.socket)
		},
	}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://weir/metrics", nil)
	if err != nil {
		return nil, err
	}
	answer, err := client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("asking Weir for its metrics: %w", err)
	}
	defer answer.Body.Close()
	var buckets []Bucket
	lines := bufio.NewScanner(answer.Body)
	for lines.Scan() {
		rest, ok := strings.CutPrefix(lines.Text(), `weir_accept_seconds_bucket{le="`)
		if !ok {
			continue
		}
		le, count, _ := strings.Cut(rest, `"} `)
		var b Bucket
		if b.Seconds, err = strconv.ParseFloat(le, 64); err == nil {
			b.Count, err = strconv.ParseFloat(count, 64)
		}
		if err != nil {
			return nil, fmt.Errorf("reading Weir's metrics: %w", err)
		}
		buckets = append(buckets, b)
	}
	return buckets, lines.Err()
}
