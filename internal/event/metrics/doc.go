// Package metrics counts what happens, for Prometheus and whatever reads its format.
//
// Its rule: the sets of labels are bounded. A label is a word of a closed list, a code,
// or something that the operator has named; never an address, a domain or a word of a
// peer's. What others count already is read when it is asked for, and costs nothing
// before.
package metrics
