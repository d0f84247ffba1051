package lane

import "time"

// book gives appointments to jobs that found no place: it knows at what rate
// the lane gets through its jobs, and hands out times at that rate, so that
// those sent away come back one after the other and not all at once. It is
// only arithmetic; the lane's mutex guards it.
type book struct {
	rate    float64   // jobs a second, smoothed; 0 before the first measure
	counted int       // jobs done since began, while others waited
	began   time.Time // of the current measure
	last    time.Time // when the last job was done
	next    time.Time // the next free appointment
}

const (
	// measureTime is how long jobs are counted for one measure of the rate.
	measureTime = 500 * time.Millisecond
	// startRate is what a lane is taken to do before it has been measured.
	startRate = 50
	// eagerness is by how much more than its measured rate is handed out:
	// a lane that could do more has to be given more to show it, and one whose
	// receiver takes twice as much as before is not to run dry.
	eagerness = 2
	// minAppointment and maxAppointment bound how far off an appointment is.
	minAppointment = time.Second
	maxAppointment = 10 * time.Minute
)

// begin tells that a job is begun while no other one is in progress.
func (b *book) begin(now time.Time) { b.last = now }

// done counts a job that has ended. Only while others wait do they show what the
// lane can do.
func (b *book) done(now time.Time, waiting bool) {
	b.last = now
	if !waiting {
		b.counted, b.began = 0, time.Time{}
		return
	}
	if b.began.IsZero() {
		b.began = now
		return
	}
	b.counted++
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

// rateAt returns at what rate jobs are done: the one that was measured, or less
// where others wait and none was done for a while.
func (b *book) rateAt(now time.Time, waiting bool) float64 {
	rate := b.rate
	if rate == 0 {
		rate = startRate
	}
	if silent := now.Sub(b.last); silent > stuckTime && waiting && !b.last.IsZero() {
		return min(rate, 1/silent.Seconds())
	}
	return rate
}

// stuckTime is how long no job may end before the rate is in doubt.
const stuckTime = 10 * time.Second

// appointment returns when a job is to come back that found waiting others
// before it: not before half of those are gone, after the appointments given
// before, and not before the given time.
func (b *book) appointment(now time.Time, waiting int, from time.Time) time.Time {
	rate := max(b.rate, 1)
	if b.rate == 0 {
		rate = startRate
	}
	rate *= eagerness
	latest := now.Add(maxAppointment)
	earliest := now.Add(max(minAppointment, seconds(float64(waiting)/2/rate)))
	if from.After(earliest) {
		earliest, latest = from, from.Add(maxAppointment)
	}
	if b.next.Before(earliest) {
		b.next = earliest
	}
	at := b.next
	if at.After(latest) {
		return latest
	}
	b.next = b.next.Add(seconds(1 / rate))
	return at
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
