package lane

import "time"

// book gives appointments to jobs that found no place: it knows at what rate
// the lane gets through its jobs, and hands out times at that rate, so that
// those sent away come back one after the other and not all at once. It is
// only arithmetic; the lane's mutex guards it.
type book struct {
	rate    float64   // jobs a second, smoothed; 0 before the first measure
	counted int       // jobs done since began
	began   time.Time // of the current measure
	next    time.Time // the next free appointment
}

const (
	// measureTime is how long jobs are counted for one measure of the rate.
	measureTime = 500 * time.Millisecond
	// startRate is what a lane is taken to do before it has been measured.
	startRate = 50
	// eagerness is by how much more than its measured rate is handed out:
	// a lane that could do more has to be given more to show it.
	eagerness = 1.25
	// minAppointment and maxAppointment bound how far off an appointment is.
	minAppointment = time.Second
	maxAppointment = 10 * time.Minute
)

// done counts a job that has ended.
func (b *book) done(now time.Time) {
	b.counted++
	if b.began.IsZero() {
		b.began = now
		return
	}
	span := now.Sub(b.began)
	if span < measureTime {
		return
	}
	rate := float64(b.counted) / span.Seconds()
	if b.rate == 0 {
		b.rate = rate
	}
	b.rate += (rate - b.rate) / 4
	b.counted, b.began = 0, now
}

// appointment returns when a job is to come back that found waiting others
// before it: not before half of those are gone, and after the appointments
// given before.
func (b *book) appointment(now time.Time, waiting int) time.Time {
	rate := max(b.rate, 1)
	if b.rate == 0 {
		rate = startRate
	}
	rate *= eagerness
	earliest := now.Add(max(minAppointment, seconds(float64(waiting)/2/rate)))
	if b.next.Before(earliest) {
		b.next = earliest
	}
	at := b.next
	if latest := now.Add(maxAppointment); at.After(latest) {
		return latest
	}
	b.next = b.next.Add(seconds(1 / rate))
	return at
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
