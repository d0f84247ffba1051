package lane

// ring is a queue, first in first out. The zero value is empty and holds
// nothing; what it grew to is given back when it is empty.
type ring[J any] struct {
	items []J
	first int
	count int
}

func (r *ring[J]) len() int { return r.count }

func (r *ring[J]) push(j J) {
	if r.count == len(r.items) {
		r.grow()
	}
	r.items[(r.first+r.count)%len(r.items)] = j
	r.count++
}

func (r *ring[J]) grow() {
	items := make([]J, max(16, 2*len(r.items)))
	n := copy(items, r.items[r.first:])
	copy(items[n:], r.items[:r.first])
	r.items, r.first = items, 0
}

func (r *ring[J]) pop() J {
	var none J
	j := r.items[r.first]
	r.items[r.first] = none
	r.first = (r.first + 1) % len(r.items)
	r.count--
	if r.count == 0 && len(r.items) > 256 {
		*r = ring[J]{}
	}
	return j
}
