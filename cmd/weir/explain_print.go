package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/weirmail/weir/internal/prose"
	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/reply/catalog"
	"github.com/weirmail/weir/reply/catalog/classify"
)

// write explains one reply on a page.
func (e *explainer) write(x *catalog.Explanation) {
	e.writeHead(x)
	e.writeFacts(x.Facts)
	for _, text := range x.Conflicts {
		e.paper.line("")
		e.paper.block("", 2, e.cat.Label("named", "title", e.cat.Label("conflict"), "text", text))
	}
	for _, text := range x.Means {
		e.paper.line("")
		e.paper.block("", 2, text)
	}
	e.writeList("notes", x.Notes)
	e.writeList("when", x.When)
	e.writeFixes(&x.Fixes)
	e.writeProvider(x.Provider)
	e.writeUsual(x.Usual)
	e.writeDialogue(e.cat.Label("dialogue"), x.Dialogue)
	e.writeFoot(x)
}

// writeHead writes the codes and what they are called.
func (e *explainer) writeHead(x *catalog.Explanation) {
	p := e.paper
	if x.Code == 0 && x.Enhanced == "" {
		p.block("", 0, p.marked(bold, x.Title))
	}
	if x.Code != 0 {
		title := x.CodeTitle
		if title == "" {
			title = x.Title
		}
		p.line(p.marked(bold, x.Code.String()) + "    " + p.marked(bold, unmarked(title)))
	}
	if x.Enhanced != "" {
		p.line(padded(x.Enhanced, 7) + unmarked(x.EnhancedTitle))
	}
	if x.Text != "" {
		for _, line := range prose.Wrap(printable(x.Text), p.columns-7) {
			p.line("       " + p.marked(faint, line))
		}
	}
	p.line("")
}

func (e *explainer) writeFacts(facts []catalog.Fact) {
	indent := 0
	for _, f := range facts {
		indent = max(indent, prose.Width(f.Label)+4)
	}
	for _, f := range facts {
		e.paper.block("  "+f.Label, indent, f.Value)
	}
}

func (e *explainer) writeList(label string, list []string) {
	if len(list) == 0 {
		return
	}
	e.paper.heading(e.cat.Label(label))
	for _, text := range list {
		e.paper.item(text)
	}
}

func (e *explainer) writeProvider(p *catalog.ProviderPage) {
	if p == nil {
		return
	}
	e.paper.heading(e.cat.Label("named", "title", e.cat.Label("provider"), "text", p.Name))
	e.paper.block("", 2, p.About)
	for _, link := range p.Links {
		e.paper.line("  " + link)
	}
}

func (e *explainer) writeFixes(f *catalog.Fixes) {
	e.writeList("sender", f.Sender)
	e.writeList("operator", f.Operator)
	e.writeList("recipient", f.Recipient)
	e.writeList("avoid", f.Avoid)
}

func (e *explainer) writeUsual(all []catalog.UsualReason) {
	if len(all) == 0 {
		return
	}
	e.paper.heading(e.cat.Label("reasons"))
	indent := 0
	for _, u := range all {
		indent = max(indent, prose.Width(u.Reason.String())+4)
	}
	for _, u := range all {
		e.paper.block("  "+u.Reason.String(), indent, u.Title)
	}
}

func (e *explainer) writeDialogue(heading string, lines []catalog.Line) {
	if len(lines) == 0 {
		return
	}
	if heading != "" {
		e.paper.heading(heading)
	}
	for _, l := range lines {
		who := "S: "
		if l.Client {
			who = "C: "
		}
		e.paper.line("    " + who + l.Text)
	}
}

// writeFoot says where to read on.
func (e *explainer) writeFoot(x *catalog.Explanation) {
	p := e.paper
	if len(x.Related) == 0 && len(x.RFC) == 0 {
		return
	}
	p.line("")
	related, sources := e.cat.Label("related"), e.cat.Label("sources")
	indent := max(prose.Width(related), prose.Width(sources)) + 2
	if len(x.Related) > 0 {
		p.block(related, indent, codeList(x.Related))
	}
	if len(x.RFC) > 0 {
		var names []string
		for _, s := range x.RFC {
			names = append(names, string(s))
		}
		p.block(sources, indent, strings.Join(names, ", "))
	}
}

func codeList(codes []reply.Code) string {
	words := make([]string, len(codes))
	for i, c := range codes {
		words[i] = c.String()
	}
	return strings.Join(words, " ")
}

// writeComparison holds codes side by side: what differs first, then the table.
func (e *explainer) writeComparison(cmp *catalog.Comparison) {
	p := e.paper
	for _, page := range cmp.Pages {
		p.line(p.marked(bold, page.Code.String()) + "  " + unmarked(page.Title))
	}
	if cmp.Short != "" {
		p.line("")
		p.block("", 2, cmp.Short)
	}
	e.writeList("differences", cmp.Differences)
	e.writePairs(cmp.Pairs)
	e.writeUses(cmp.Uses)
	for i := range cmp.Parts {
		e.writePart(&cmp.Parts[i])
	}
	p.heading(e.cat.Label("compare"))
	for i := range cmp.Rows {
		if row := &cmp.Rows[i]; row.Key != "title" {
			e.writeRow(row, cmp.Codes)
		}
	}
}

func (e *explainer) writeRow(row *catalog.Row, codes []reply.Code) {
	e.paper.line("")
	e.paper.line("  " + row.Label)
	for i, v := range row.Values {
		if v != "" {
			e.paper.block("    "+codes[i].String(), 9, v)
		}
	}
}

func (e *explainer) writeUses(uses []catalog.Use) {
	e.paper.heading(e.cat.Label("use"))
	for _, u := range uses {
		prefix := "  " + u.Code.String()
		for _, text := range u.Text {
			e.paper.block(prefix, 7, text)
			prefix = ""
		}
	}
}

func (e *explainer) writePart(part *catalog.Part) {
	e.paper.heading(part.Heading)
	for i, text := range part.Text {
		if i > 0 {
			e.paper.line("")
		}
		e.paper.block("", 2, text)
	}
	if len(part.Dialogue) > 0 {
		e.paper.line("")
		e.writeDialogue("", part.Dialogue)
	}
}

func (e *explainer) writePairs(pairs []catalog.Pair) {
	if len(pairs) == 0 {
		return
	}
	e.paper.heading(e.cat.Label("differences"))
	for _, pair := range pairs {
		e.paper.block(fmt.Sprintf("  %d/%d", pair.A, pair.B), 11, pair.Short)
	}
}

// writeAll explains the replies of a file: one as a page, several as a list of
// those that differ, each with how often it was found.
func (e *explainer) writeAll(all []catalog.Explanation) {
	groups := grouped(all)
	if len(groups) == 1 {
		if groups[0].count > 1 {
			e.paper.line(strconv.Itoa(groups[0].count) + "×")
		}
		e.write(groups[0].first)
		return
	}
	for i, g := range groups {
		if i > 0 {
			e.paper.line("")
		}
		e.writeGroup(&g)
	}
}

// group is replies that say the same.
type group struct {
	first *catalog.Explanation
	count int
}

// grouped puts together what has the same codes and the same reason, the most
// frequent first.
func grouped(all []catalog.Explanation) []group {
	type key struct {
		code     reply.Code
		enhanced string
		reason   classify.Reason
	}
	at := map[key]int{}
	var groups []group
	for i := range all {
		x := &all[i]
		k := key{x.Code, x.Enhanced, x.Reason}
		n, ok := at[k]
		if !ok {
			n = len(groups)
			at[k] = n
			groups = append(groups, group{first: x})
		}
		groups[n].count++
	}
	slices.SortStableFunc(groups, func(a, b group) int { return b.count - a.count })
	return groups
}

func (e *explainer) writeGroup(g *group) {
	p, x := e.paper, g.first
	var head []string
	if g.count > 1 {
		head = append(head, strconv.Itoa(g.count)+"×")
	}
	if x.Code != 0 {
		head = append(head, x.Code.String())
	}
	head = append(head, x.Enhanced, unmarked(x.Title))
	p.line(p.marked(bold, strings.Join(slices.DeleteFunc(head, func(s string) bool { return s == "" }), " ")))
	if x.Text != "" {
		p.block("", 4, clip(x.Text, 200))
	}
	indent := 4
	for _, f := range x.Facts {
		indent = max(indent, prose.Width(f.Label)+6)
	}
	for _, f := range x.Facts {
		switch f.Key {
		case "class", "action", "delay", "who":
			p.block("    "+f.Label, indent, f.Value)
		}
	}
	for _, text := range x.Conflicts {
		p.block("", 4, text)
	}
}

// annotate repeats a line of a log, and says below what a refusal in it means.
func (e *explainer) annotate(line string) {
	if e.json {
		e.annotateJSON(line)
		return
	}
	e.paper.line(printable(line))
	for _, x := range e.cat.ExplainAll(line, catalog.Options{}) {
		if x.Reason == classify.ReasonNone {
			continue
		}
		e.paper.block("    └", 6, e.advice(&x))
	}
}

// advice is an explanation in one sentence.
func (e *explainer) advice(x *catalog.Explanation) string {
	text := e.cat.Label("named", "title", x.Title, "text", e.cat.Word("action", x.Action.String()))
	for _, f := range x.Facts {
		if f.Key == "delay" {
			text = e.cat.Label("aside", "title", text, "text", f.Value)
		}
	}
	return text
}

func (e *explainer) annotateJSON(line string) {
	for _, x := range e.cat.ExplainAll(line, catalog.Options{}) {
		if x.Reason == classify.ReasonNone || e.paper.err != nil {
			continue
		}
		e.paper.err = writeJSON(e.out, &x)
	}
}

// list prints all codes and reasons.
func (e *explainer) list() error {
	if e.json {
		return e.listJSON()
	}
	p := e.paper
	p.line(p.marked(bold, e.cat.Label("list_codes")))
	for _, page := range e.cat.Codes() {
		title := page.Title
		if !page.Standard {
			title = e.cat.Label("aside", "title", title, "text", e.cat.Label("not_standard"))
		}
		p.block("  "+page.Code.String(), 8, title)
	}
	p.heading(e.cat.Label("list_enhanced"))
	for _, page := range e.cat.EnhancedAll() {
		p.block("  "+page.Code, 10, page.Title)
	}
	p.heading(e.cat.Label("list_reasons"))
	for _, page := range e.cat.Reasons() {
		p.block("  "+page.Reason.String(), 25, page.Title)
	}
	return p.err
}

func (e *explainer) listJSON() error {
	for _, page := range e.cat.Codes() {
		if err := writeJSON(e.out, &page); err != nil {
			return err
		}
	}
	for _, page := range e.cat.EnhancedAll() {
		if err := writeJSON(e.out, &page); err != nil {
			return err
		}
	}
	for _, page := range e.cat.Reasons() {
		if err := writeJSON(e.out, &page); err != nil {
			return err
		}
	}
	return nil
}
