package lane

import "slices"

// ranks is a queue in which the greater rank goes first, and within a rank who
// came first. It holds a ring for each rank that it has seen, which is one where
// nobody asks for another.
type ranks[J any] struct {
	rings []ranked[J] // the greatest rank first
	count int
}

type ranked[J any] struct {
	rank int
	ring ring[J]
}

func (r *ranks[J]) len() int { return r.count }

func (r *ranks[J]) push(j J, rank int) {
	n, found := slices.BinarySearchFunc(r.rings, rank, func(have ranked[J], rank int) int { return rank - have.rank })
	if !found {
		r.rings = slices.Insert(r.rings, n, ranked[J]{rank: rank})
	}
	r.rings[n].ring.push(j)
	r.count++
}

// pop takes the first job. There must be one.
func (r *ranks[J]) pop() J {
	n := 0
	for r.rings[n].ring.len() == 0 {
		n++
	}
	r.count--
	return r.rings[n].ring.pop()
}
