//go:build js && wasm

// Command wasm is the box of the exported reference: the catalogue, compiled for
// the browser. "make explainer" builds it.
package main
