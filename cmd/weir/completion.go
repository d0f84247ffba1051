package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	mangokong "github.com/alecthomas/mango-kong"
	"github.com/muesli/roff"
	"github.com/willabides/kongplete"
)

// completionCommand prints what makes a shell complete the commands of weir.
type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"The shell: bash, zsh or fish."`
}

// completions are the scripts. Each asks the program itself, so that it never knows
// less than the program, or more.
var completions = map[string]string{
	"bash": `# Completion of weir for bash. In ~/.bashrc:  source <(weir completion bash)
complete -o default -C %[1]s weir
`,
	"zsh": `# Completion of weir for zsh. In ~/.zshrc, behind compinit:  source <(weir completion zsh)
autoload -U +X bashcompinit && bashcompinit
complete -o nospace -C %[1]s weir
`,
	"fish": `# Completion of weir for fish:  weir completion fish > ~/.config/fish/completions/weir.fish
function __complete_weir
    set -lx COMP_LINE (commandline -cp)
    test -z (commandline -ct)
    and set COMP_LINE "$COMP_LINE "
    %[1]s
end
complete -f -c weir -a "(__complete_weir)"
`,
}

// Run prints the script.
func (c *completionCommand) Run(w *world) error {
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding out where this program is: %w", err)
	}
	_, err = fmt.Fprintf(w.stdout, completions[c.Shell], shellQuoted(program))
	return err
}

// shellQuoted is a word as shells read it back.
func shellQuoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// completes answers a shell that asks what may come next, which it does by a variable
// of the environment. It reports whether that was so.
func completes(parser *kong.Kong, w *world) bool {
	if !slices.ContainsFunc(w.environ, func(v string) bool { return strings.HasPrefix(v, "COMP_LINE=") && v != "COMP_LINE=" }) {
		return false
	}
	kongplete.Complete(parser, kongplete.WithExitFunc(func(int) {}))
	return true
}

// manCommand prints the manual page.
type manCommand struct{}

// Run prints it, made from what the commands themselves say.
func (*manCommand) Run(w *world, app *kong.Kong) error {
	page := mangokong.NewManPage(1, app.Model)
	_, err := fmt.Fprintln(w.stdout, page.Build(roff.NewDocument()))
	return err
}
