package lane

import (
	"math"
	"time"
)

// pace is how many messages a second a lane hands over: not limited, until the
// receiver says that it is too fast, and from then on just under the rate at which
// it said so. It is only arithmetic; the lane's mutex guards it.
//
// The rate follows the time since the last refusal, as the window of CUBIC does
// (RFC 9438): soon near the ceiling, there for long, and then beyond it, slowly at
// first and ever faster. A refusal beyond the ceiling leads back to where it went
// well; one below it lowers the ceiling, by little for the first and by more for
// each further one. Time in which nobody waited does not count: it proves nothing.
type pace struct {
	most float64 // by the configuration, the profile or the operator; 0 is none

	from    float64 // the rate after the last refusal; 0 while there is no limit
	ceiling float64
	rough   bool          // the ceiling is only a guess
	active  time.Duration // with work waiting, since the last refusal
	quiet   time.Duration // how long the rate stays below the ceiling
	row     int           // refusals below the ceiling with few deliveries between them
	since   int           // deliveries since the last refusal
	barren  int           // refusals without any delivery between them
	pause   time.Time     // until when nothing is sent
	paused  time.Duration // since the last delivery
	round   uint32        // counts the refusals that were heeded

	tokens float64
	at     time.Time // when tokens was right
	short  goodput   // of the last seconds
	long   goodput   // of about two minutes
}

const (
	// under is how far below the ceiling a lane stays.
	under = 0.95
	// returnTime is the time constant of the way back to there.
	returnTime = 2 * time.Second
	// The time for which a lane stays there: as long as some hundred messages take,
	// so that of those few are refused, and no longer than that a raised limit is
	// found within two minutes.
	quietMessages = 500
	minQuiet      = 15 * time.Second
	maxQuiet      = time.Minute
	// maxTold bounds it where the receiver has named a wait, which costs more.
	maxTold = 10 * time.Minute
	// doubling is how long it takes from there to twice the ceiling.
	doubling = 30 * time.Second
	// doubt is up to how far beyond the ceiling a refusal is no news: the receiver
	// may save up what was not used before, and so find out late.
	doubt = 1.35
	// groping is how long it takes to double a rate whose ceiling is a guess.
	groping = 3 * time.Second
	// After barrenMost refusals without a delivery there are pauses.
	barrenMost = 3
	minBarren  = time.Second
	maxBarren  = time.Minute
	// leastPace is one message in five minutes.
	leastPace = 1.0 / 300
	// noPace is a rate beyond which there is no limit any more.
	noPace = 1e5
)

// limited tells whether messages wait for a token.
func (p *pace) limited() bool { return p.from > 0 || p.most > 0 }

// rate returns the present rate; infinite where there is no limit.
func (p *pace) rate() float64 {
	r := math.Inf(1)
	if p.from > 0 {
		r = p.learned()
	}
	if p.most > 0 {
		r = min(r, p.most)
	}
	return r
}

func (p *pace) learned() float64 {
	if p.rough {
		return max(p.from*math.Exp2(p.active.Seconds()/groping.Seconds()), leastPace)
	}
	goal := under * p.ceiling
	r := goal
	if p.from < goal {
		r -= (goal - p.from) * math.Exp(-p.active.Seconds()/returnTime.Seconds())
	}
	if beyond := (p.active - p.quiet).Seconds() / doubling.Seconds(); beyond > 0 {
		r += p.ceiling * beyond * beyond * beyond
	}
	return max(r, leastPace)
}

// trying tells that the rate is on its way beyond the ceiling.
func (p *pace) trying() bool { return p.from > 0 && !p.rough && p.active > p.quiet }

// refill brings the tokens up to date. waiting tells whether somebody has waited
// for one.
func (p *pace) refill(now time.Time, waiting bool) {
	passed := now.Sub(p.at)
	p.at = now
	if passed <= 0 || !p.limited() || now.Before(p.pause) {
		return
	}
	if waiting && p.from > 0 && (p.most == 0 || p.learned() < p.most) {
		p.active += min(passed, 5*time.Second)
		if p.learned() > noPace {
			p.from, p.ceiling, p.rough = 0, 0, false
			return
		}
	}
	r := p.rate()
	p.tokens = min(p.tokens+r*passed.Seconds(), max(1, r/20))
}

// lookAgain is the longest time until a lane with work looks again: a rate that is
// learned grows with the time, so what it is now says nothing of when the next token
// is there.
const lookAgain = time.Second

// take takes the token for a message, or returns when to ask again.
func (p *pace) take(now time.Time) (wait time.Duration, ok bool) {
	switch {
	case !p.limited():
		return 0, true
	case now.Before(p.pause):
		return p.pause.Sub(now), false
	case p.tokens >= 1-1e-9:
		p.tokens--
		return 0, true
	}
	return min(max(time.Millisecond, seconds((1-p.tokens)/p.rate())), lookAgain), false
}

// well counts a delivery.
func (p *pace) well(now time.Time) {
	p.short.add(now, shortSlot)
	p.long.add(now, longSlot)
	p.since++
	if p.paused >= longBarren && p.from > 0 {
		p.wake(now)
	}
	p.barren, p.paused = 0, 0
	if p.since >= 10 && p.active > returnTime {
		p.row = 0
	}
}

// wake begins again after a time in which nothing was taken. What was taken and what
// was not make up a whole span of a receiver that counts over a longer time; where
// hardly anything was taken in it, the receiver was down rather, and its rate is as
// unknown as before.
func (p *pace) wake(now time.Time) {
	n, rate := p.long.taken(now, longSlot)
	p.active = 0
	if n < fewTaken {
		p.rough, p.from = true, max(p.from, rate)
		return
	}
	p.ceiling, p.rough = max(rate, 2*leastPace), false
	p.from = under * p.ceiling
	p.rest(p.paused)
}

// fewTaken are too few deliveries to tell a rate from.
const fewTaken = 5

// longBarren is how long nothing has to have been taken for the receiver to count
// over a longer time.
const longBarren = 4 * time.Second

// refused heeds that the receiver was sent too much, once in a round: what was
// begun before the last refusal was heeded is told by its round. told is the wait
// that the receiver named, or 0. It reports whether it did.
func (p *pace) refused(now time.Time, round uint32, told time.Duration) bool {
	if round != p.round {
		return false
	}
	p.round++
	good := p.short.rate(now, shortSlot) / 2
	r := p.rate()
	switch {
	case p.from == 0:
		p.rough, p.from = true, good
		p.tokens, p.at = 0, now
	case p.rough && p.since >= 10:
		p.rough, p.ceiling, p.from = false, r, 0.85*r
	case p.rough:
		p.from = max(r/2, good)
	case p.trying() && r < doubt*p.ceiling:
		// The ceiling holds, or is higher by a part of what was tried.
		p.ceiling += (r - p.ceiling) / 4
		p.from = under * p.ceiling
	default:
		p.ceiling = r
		p.from = max(r*p.cut(), good)
		p.row++
		p.rough = p.row > 3
	}
	if p.from = max(p.from, leastPace); !p.rough {
		p.from = min(p.from, p.ceiling)
	}
	p.active = 0
	p.tokens = min(p.tokens, 0)
	p.rest(told)
	p.stall(now)
	return true
}

// rest sets how long the rate stays below the ceiling. cost is for how long nothing
// was sent because of the last refusal, or 0.
func (p *pace) rest(cost time.Duration) {
	p.quiet = min(max(seconds(quietMessages/max(p.ceiling, leastPace)), minQuiet), maxQuiet)
	if cost > 0 {
		p.quiet = min(max(p.quiet, 10*cost), maxTold)
	}
}

// stall pauses where nothing is taken.
func (p *pace) stall(now time.Time) {
	if p.since > 0 {
		p.since, p.barren = 0, 0
	}
	if p.barren++; p.barren < barrenMost {
		return
	}
	pause := min(minBarren<<min(p.barren-barrenMost, 10), maxBarren)
	p.pause = now.Add(pause)
	p.paused += pause
}

// cut is by how much a refusal lowers the rate: little where it is the first, since
// the rate was right but for that.
func (p *pace) cut() float64 {
	switch p.row {
	case 0:
		return under
	case 1:
		return 0.85
	case 2:
		return 0.7
	}
	return 0.5
}

// goodput counts what was taken in the last eight slots of time.
type goodput struct {
	slots [8]struct {
		at    int64 // in slots since 1970
		count int
	}
}

const (
	shortSlot = 250 * time.Millisecond
	longSlot  = 16 * time.Second
)

func (g *goodput) add(now time.Time, slot time.Duration) {
	at := now.UnixNano() / int64(slot)
	s := &g.slots[at&7]
	if s.at != at {
		s.at, s.count = at, 0
	}
	s.count++
}

// rate returns how many were taken in a second. What was taken in less than a second
// counts as if it had taken one: more may have been a stock that is used up.
func (g *goodput) rate(now time.Time, slot time.Duration) float64 {
	_, rate := g.taken(now, slot)
	return rate
}

// taken returns how many were taken in the slots, and the rate.
func (g *goodput) taken(now time.Time, slot time.Duration) (n int, rate float64) {
	first := now.UnixNano() / int64(slot)
	for i := range g.slots {
		if s := &g.slots[i]; s.count > 0 && first-s.at < int64(len(g.slots)) {
			n += s.count
		}
	}
	for i := range g.slots {
		if s := &g.slots[i]; s.count > 0 && now.UnixNano()/int64(slot)-s.at < int64(len(g.slots)) {
			first = min(first, s.at)
		}
	}
	span := now.Sub(time.Unix(0, first*int64(slot)))
	return n, float64(n) / max(span.Seconds(), 1)
}
