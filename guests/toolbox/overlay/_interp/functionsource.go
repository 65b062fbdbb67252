package interp

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// functionSource prints a function as `declare -f` does: each command on its line, four spaces a level.
func functionSource(name string, body *syntax.Stmt) string {
	var out strings.Builder
	out.WriteString(name + " () \n")
	block, ok := body.Cmd.(*syntax.Block)
	if !ok {
		block = &syntax.Block{Stmts: []*syntax.Stmt{body}}
	}
	out.WriteString("{ \n")
	var inner strings.Builder
	printer := syntax.NewPrinter(syntax.Indent(4), syntax.SpaceRedirects(true), syntax.FunctionNextLine(true))
	for i, st := range block.Stmts {
		inner.Reset()
		if printer.Print(&inner, st) != nil {
			return ""
		}
		text := inner.String()
		if !strings.Contains(text, "<<") {
			text = "    " + strings.ReplaceAll(text, "\n", "\n    ")
		}
		out.WriteString(text)
		if i < len(block.Stmts)-1 && !st.Background && !strings.Contains(text, "<<") {
			out.WriteByte(';')
		}
		out.WriteByte('\n')
	}
	out.WriteByte('}')
	if ok && len(body.Redirs) > 0 {
		redirected := *body
		redirected.Cmd = nil
		inner.Reset()
		if printer.Print(&inner, &redirected) == nil {
			out.WriteString(" " + strings.TrimSpace(inner.String()))
		}
	}
	out.WriteByte('\n')
	return out.String()
}
