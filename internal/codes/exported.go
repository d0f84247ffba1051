package codes

import "strings"

// exported is the reference in files. Its links are relative, so that the files
// work wherever they lie, also without a server.
type exported struct {
	// base is where the files will be found, or "".
	base string
}

func (exported) link(from, language, path string) string {
	return up(from) + "../" + language + "/" + file(path)
}
func (exported) asset(from, name string) string { return up(from) + "../assets/" + name }
func (exported) static() bool                   { return true }

func (e exported) address(from, language, path string) string {
	if e.base == "" {
		return e.link(from, language, path)
	}
	return e.base + "/" + language + "/" + file(path)
}

// up leads from a page to the folder of its language.
func up(from string) string { return strings.Repeat("../", strings.Count(from, "/")) }

// file is the name of the file of a page.
func file(path string) string {
	if path == "" {
		return "index.html"
	}
	return path + ".html"
}
