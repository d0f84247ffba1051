package main

// codesCommands are about the catalogue as a whole.
type codesCommands struct {
	List   codesListCommand   `cmd:"" default:"withargs" help:"List all codes and reasons."`
	Export codesExportCommand `cmd:"" help:"Write the web reference of replies into a folder, as a static site in all languages."`
}

// codesListCommand lists what can be explained.
type codesListCommand struct {
	languageFlag
	JSON bool `help:"Print JSON: one object a line."`
}

// Run prints the list.
func (c *codesListCommand) Run(w *world) error {
	cat, err := c.catalog(w)
	if err != nil {
		return err
	}
	return (&explainer{cat: cat, paper: newPaper(w), out: w.stdout, json: c.JSON}).list()
}
