// Package peer remembers what next hops were seen to do: what they offer and what they
// refuse in spite of it, when and where they said 421, how they encrypt, how long they
// take.
//
// Its rule: it is a memory and no judge. What it advises costs a message nothing where
// it is wrong, so that a host that has been mended is never held to what it was; and no
// message ever waits for it. What it knows is in memory at once, and on disk a while
// later, without a sync: a power cut may lose the last of it.
package peer
