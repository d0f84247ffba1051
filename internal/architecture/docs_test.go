package architecture

import (
	"fmt"
	"go/ast"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestEveryPackageIsExplainedOnce(t *testing.T) {
	for _, problem := range packageDocProblems(scan(t, os.DirFS("../.."))) {
		t.Error(problem)
	}
}

func TestEverythingExportedIsExplained(t *testing.T) {
	for _, problem := range identifierDocProblems(scan(t, os.DirFS("../.."))) {
		t.Error(problem)
	}
}

// packageDocProblems lists the packages that have no comment, two, or one in
// the wrong place.
func packageDocProblems(sources []source) []string {
	docs, names := map[string][]source{}, map[string]string{}
	for _, s := range sources {
		if !strings.HasSuffix(s.file.Name.Name, "_test") {
			names[s.folder] = s.file.Name.Name
		} else if names[s.folder] == "" {
			names[s.folder] = strings.TrimSuffix(s.file.Name.Name, "_test")
		}
		if s.file.Doc != nil && s.file.Doc.Text() != "" {
			docs[s.folder] = append(docs[s.folder], s)
		}
	}
	var problems []string
	for folder, name := range names {
		if why := packageDocProblem(name, docs[folder]); why != "" {
			problems = append(problems, folder+": "+why)
		}
	}
	slices.Sort(problems)
	return problems
}

// packageDocProblem says what is wrong with the comments of one package. A
// program may have its comment in main.go.
func packageDocProblem(name string, docs []source) string {
	switch {
	case len(docs) == 0:
		return "no package comment: write doc.go, with the rule that the package keeps"
	case len(docs) > 1:
		return fmt.Sprintf("package comments in %s and %s: one is enough", docs[0].name, docs[1].name)
	}
	doc := docs[0]
	switch {
	case doc.name != "doc.go" && (name != "main" || doc.name != "main.go"):
		return "the package comment belongs into doc.go, not " + doc.name
	case name != "main" && !strings.HasPrefix(doc.file.Doc.Text(), "Package "+name+" "):
		return fmt.Sprintf("the package comment begins with %q", "Package "+name)
	}
	return ""
}

// identifierDocProblems lists exported names without a comment. Programs and
// tests export nothing.
func identifierDocProblems(sources []source) []string {
	var problems []string
	for _, s := range sources {
		if s.test || s.file.Name.Name == "main" {
			continue
		}
		for _, decl := range s.file.Decls {
			for _, name := range undocumented(decl) {
				problems = append(problems, fmt.Sprintf("%s/%s: %s has no comment", s.folder, s.name, name))
			}
		}
	}
	return problems
}

// undocumented lists the exported names of a declaration that have no comment.
func undocumented(decl ast.Decl) []string {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && d.Doc == nil && receiverIsExported(d) {
			return []string{d.Name.Name}
		}
	case *ast.GenDecl:
		var names []string
		for _, spec := range d.Specs {
			names = append(names, undocumentedSpec(d, spec)...)
		}
		return names
	}
	return nil
}

// receiverIsExported says whether a method can be reached by its type's name.
// A function has no receiver and can.
func receiverIsExported(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	t := d.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.IsExported()
		default:
			return false
		}
	}
}

// undocumentedSpec looks at one type, or one line of constants or variables,
// which the comment of their group may explain. The fields of a struct are left
// to the eye: the comment of the type may speak for them.
func undocumentedSpec(d *ast.GenDecl, spec ast.Spec) []string {
	switch s := spec.(type) {
	case *ast.TypeSpec:
		if s.Name.IsExported() && d.Doc == nil && s.Doc == nil {
			return []string{s.Name.Name}
		}
	case *ast.ValueSpec:
		if d.Doc == nil && s.Doc == nil && s.Comment == nil {
			return exported(s.Names)
		}
	}
	return nil
}

// exported lists the exported ones of some names.
func exported(names []*ast.Ident) []string {
	var all []string
	for _, n := range names {
		if n.IsExported() {
			all = append(all, n.Name)
		}
	}
	return all
}

// The tests can fail: each of these is found.
func TestMissingCommentsAreFound(t *testing.T) {
	for _, test := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"none", map[string]string{"p/a.go": "package p"}, "p: no package comment"},
		{"only in a test", map[string]string{"p/a_test.go": "package p_test"}, "p: no package comment"},
		{"elsewhere", map[string]string{"p/a.go": "// Package p is.\npackage p"}, "belongs into doc.go, not a.go"},
		{"twice", map[string]string{"p/doc.go": "// Package p is.\npackage p", "p/a.go": "// Package p too.\npackage p"}, "one is enough"},
		{"of another name", map[string]string{"p/doc.go": "// Package q is.\npackage p"}, `begins with "Package p"`},
		{"program", map[string]string{"cmd/p/run.go": "// Command p is.\npackage main"}, "belongs into doc.go, not run.go"},
		{"func", map[string]string{"p/doc.go": "// Package p is.\npackage p\n\nfunc F() {}"}, "p/doc.go: F has no comment"},
		{"method", map[string]string{"p/doc.go": "// Package p is.\npackage p\n\nfunc (t *T[K, V]) M() {}"}, "M has no comment"},
		{"type", map[string]string{"p/doc.go": "// Package p is.\npackage p\n\ntype T int"}, "T has no comment"},
		{"const", map[string]string{"p/doc.go": "// Package p is.\npackage p\n\nconst (\n\tc = 1\n\tD = 2\n)"}, "D has no comment"},
		{"var", map[string]string{"p/doc.go": "// Package p is.\npackage p\n\nvar ErrX error"}, "ErrX has no comment"},
	} {
		sources := scan(t, files(test.files))
		problems := append(packageDocProblems(sources), identifierDocProblems(sources)...)
		if len(problems) != 1 || !strings.Contains(problems[0], test.want) {
			t.Errorf("%s: got %q, want one problem: %s", test.name, problems, test.want)
		}
	}
}

// And they do not find what is right.
func TestPresentCommentsAreSilent(t *testing.T) {
	sources := scan(t, files(map[string]string{
		"p/doc.go":         "// Package p is.\npackage p",
		"p/a.go":           "package p\n\n// F is.\nfunc F() {}\n\nfunc g() {}\n\ntype t int\n\nfunc (t) M() {}",
		"p/b.go":           "package p\n\n// These are.\nconst (\n\tA = 1\n\tB = 2\n)\n\n// T is.\ntype T struct {\n\t// A and B are.\n\tA, B int\n\tC int // is\n\td int\n\tio.Reader\n}",
		"p/a_test.go":      "package p_test\n\nfunc TestX() {}",
		"cmd/p/main.go":    "// Command p is.\npackage main\n\nfunc F() {}",
		"test/t/doc.go":    "// Package t is.\npackage t",
		"test/t/a_test.go": "package t_test",
	}))
	if problems := append(packageDocProblems(sources), identifierDocProblems(sources)...); len(problems) > 0 {
		t.Errorf("%q", problems)
	}
}

// files is a module of some files.
func files(contents map[string]string) fstest.MapFS {
	m := fstest.MapFS{}
	for name, text := range contents {
		m[name] = &fstest.MapFile{Data: []byte(text + "\n")}
	}
	return m
}
