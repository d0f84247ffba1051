package classify

import (
	"cmp"
	"slices"
)

// automaton finds all fragments in one pass over a text (Aho and Corasick). Its
// edges lie in one slice, those of a state side by side, so that thousands of
// fragments take some hundred kilobytes.
type automaton struct {
	fragments []fragment
	root      [256]uint32
	first     []uint32 // state -> its first edge; one more than states
	label     []byte   // of an edge
	target    []uint32 // of an edge
	fail      []uint32 // state -> the state of its longest proper suffix
	ends      []int32  // state -> the first fragment that ends there, or -1
	same      []int32  // fragment -> the next one with the same text, or -1
	shorter   []uint32 // state -> the next state on the way of fails where a fragment ends; 0 is none
}

type trieNode struct {
	edges []trieEdge
	end   int32
}

type trieEdge struct {
	label byte
	to    uint32
}

func newAutomaton(fragments []fragment) *automaton {
	a := &automaton{fragments: fragments, same: make([]int32, len(fragments))}
	nodes := []trieNode{{end: -1}}
	for i := range fragments {
		node := uint32(0)
		for _, c := range []byte(fragments[i].text) {
			node = child(&nodes, node, c)
		}
		a.same[i], nodes[node].end = nodes[node].end, int32(i)
	}
	a.flatten(nodes)
	a.link(nodes)
	return a
}

func child(nodes *[]trieNode, node uint32, c byte) uint32 {
	for _, e := range (*nodes)[node].edges {
		if e.label == c {
			return e.to
		}
	}
	to := uint32(len(*nodes))
	*nodes = append(*nodes, trieNode{end: -1})
	(*nodes)[node].edges = append((*nodes)[node].edges, trieEdge{c, to})
	return to
}

func (a *automaton) flatten(nodes []trieNode) {
	a.first = make([]uint32, len(nodes)+1)
	a.ends = make([]int32, len(nodes))
	for i := range nodes {
		slices.SortFunc(nodes[i].edges, func(x, y trieEdge) int { return cmp.Compare(x.label, y.label) })
		a.first[i] = uint32(len(a.label))
		a.ends[i] = nodes[i].end
		for _, e := range nodes[i].edges {
			a.label = append(a.label, e.label)
			a.target = append(a.target, e.to)
		}
	}
	a.first[len(nodes)] = uint32(len(a.label))
	for _, e := range nodes[0].edges {
		a.root[e.label] = e.to
	}
}

// link computes fail and shorter, the states in the order of their depth.
func (a *automaton) link(nodes []trieNode) {
	a.fail = make([]uint32, len(nodes))
	a.shorter = make([]uint32, len(nodes))
	queue := make([]uint32, 0, len(nodes))
	for _, e := range nodes[0].edges {
		queue = append(queue, e.to)
	}
	for i := 0; i < len(queue); i++ {
		node := queue[i]
		f := a.fail[node]
		a.shorter[node] = a.shorter[f]
		if a.ends[f] >= 0 {
			a.shorter[node] = f
		}
		for _, e := range nodes[node].edges {
			a.fail[e.to] = a.step(f, e.label)
			queue = append(queue, e.to)
		}
	}
}

// step goes on from a state by an octet. Over a whole text the falls back are
// no more than the steps forward.
func (a *automaton) step(state uint32, c byte) uint32 {
	for state != 0 {
		for i := a.first[state]; i < a.first[state+1]; i++ {
			if a.label[i] == c {
				return a.target[i]
			}
		}
		state = a.fail[state]
	}
	return a.root[c]
}

// hit is a fragment found in a text.
type hit struct {
	start, end int32
	next       int32 // the next hit of the same fragment, or -1
}

// findings are the fragments found in one text. They are used again for the
// next one.
type findings struct {
	text  []byte
	hits  []hit
	found []uint32 // the fragments with a hit, in the order of their first
	first []int32  // fragment -> its first hit; valid where epoch says so
	last  []int32
	epoch []uint32
	now   uint32
}

func newFindings(fragments int) *findings {
	return &findings{first: make([]int32, fragments), last: make([]int32, fragments), epoch: make([]uint32, fragments)}
}

// maxHits bounds what is noted of one text.
const maxHits = 4096

// scan notes all fragments in the text.
func (a *automaton) scan(f *findings) {
	f.hits, f.found = f.hits[:0], f.found[:0]
	f.now++
	if f.now == 0 {
		clear(f.epoch)
		f.now = 1
	}
	state := uint32(0)
	for i, c := range f.text {
		state = a.step(state, c)
		for s := state; s != 0; s = a.shorter[s] {
			for n := a.ends[s]; n >= 0; n = a.same[n] {
				a.note(f, n, i+1)
			}
		}
	}
}

func (a *automaton) note(f *findings, n int32, end int) {
	fragment := &a.fragments[n]
	start := end - len(fragment.text)
	if len(f.hits) >= maxHits || !fragment.fits(f.text, start, end) {
		return
	}
	at := int32(len(f.hits))
	f.hits = append(f.hits, hit{int32(start), int32(end), -1})
	if f.epoch[n] != f.now {
		f.epoch[n], f.first[n] = f.now, at
		f.found = append(f.found, uint32(n))
	} else {
		f.hits[f.last[n]].next = at
	}
	f.last[n] = at
}

// has reports that the fragment is there.
func (f *findings) has(n uint32) bool { return f.epoch[n] == f.now }

// next returns the first hit of the fragment that begins at or behind from; its
// start is -1 where there is none.
func (f *findings) next(n uint32, from int32) (start, end int32) {
	if !f.has(n) {
		return -1, -1
	}
	for i := f.first[n]; i >= 0; i = f.hits[i].next {
		if f.hits[i].start >= from {
			return f.hits[i].start, f.hits[i].end
		}
	}
	return -1, -1
}

// maxTries bounds how many places of its first piece a phrase is tried at, so
// that the time stays in proportion to the text.
const maxTries = 16

// hasPhrase reports that the pieces of the phrase stand there in their order,
// with no more than maxGap octets between two.
func (f *findings) hasPhrase(p phrase) bool {
	if !f.has(p[0]) {
		return false
	}
	if len(p) == 1 {
		return true
	}
	tries := 0
	for i := f.first[p[0]]; i >= 0 && tries < maxTries; i = f.hits[i].next {
		if f.follow(p[1:], f.hits[i].end) {
			return true
		}
		tries++
	}
	return false
}

// follow tells whether the pieces stand behind from.
func (f *findings) follow(p phrase, from int32) bool {
	for _, n := range p {
		start, end := f.next(n, from)
		if start < 0 || start-from > maxGap {
			return false
		}
		from = end
	}
	return true
}
