//go:build js && wasm

package main

import (
	"syscall/js"

	"github.com/weirmail/weir/internal/codes"
)

// main gives the page the function weirAnswer(language, text), and stays there
// for it.
func main() {
	js.Global().Set("weirAnswer", js.FuncOf(func(_ js.Value, args []js.Value) any {
		return codes.Answer(args[0].String(), args[1].String())
	}))
	js.Global().Call("weirReady")
	select {}
}
