package document

import (
	"slices"
	"strconv"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

const (
	// cellsMax is the largest table that is written as one. The writer fills every row up to the longest, and repeats
	// what spans, so that a page of a megabyte could ask for terabytes.
	cellsMax = 20_000
	// spanMax is the widest or highest cell.
	spanMax = 100
)

// plainTables makes lines of blocks and words of the tables below a node that are too large.
func plainTables(root *html.Node) {
	tables := map[*html.Node]*extent{}
	for node := range root.Descendants() {
		switch node.DataAtom {
		case atom.Table:
			tables[node] = &extent{}
		case atom.Tr:
			if of := tables[above(node, atom.Table)]; of != nil {
				of.rows++
			}
		case atom.Td, atom.Th:
			if of := tables[above(node, atom.Table)]; of != nil {
				of.cell(node, above(node, atom.Tr))
			}
		}
	}
	for node, of := range tables {
		if of.rows*of.columns > cellsMax || of.cells > cellsMax {
			unmade(node)
		}
	}
}

var (
	// linesOf break a cell into lines, of which a table of Markdown has one.
	linesOf = set("br p div")
	// notWithin are never in a table of Markdown, and notAround never around one: the writer writes such a table as blocks.
	notWithin = set("h1 h2 h3 h4 h5 h6 table hr ul ol blockquote")
	notAround = set("a strong b em i del s strike")
)

// plainCells makes words of the lines of cells, in the tables below a node that are written as tables.
func plainCells(root *html.Node) {
	blocks := map[*html.Node]bool{}
	for node := range root.Descendants() {
		if node.DataAtom == atom.Table {
			blocks[node] = blocks[node] || attribute(node, "role") == "presentation"
			for at := node.Parent; at != nil; at = at.Parent {
				blocks[node] = blocks[node] || notAround[at.Data]
			}
		}
		if notWithin[node.Data] {
			blocks[above(node, atom.Table)] = true
		}
	}
	for _, node := range slices.Collect(root.Descendants()) {
		if !linesOf[node.Data] {
			continue
		}
		if table := above(node, atom.Table); table != nil && !blocks[table] {
			node.Attr, node.DataAtom, node.Data = nil, atom.Span, atom.Span.String()
			node.AppendChild(&html.Node{Type: html.TextNode, Data: " "})
		}
	}
}

// extent is how large a table is; cells counts what spans as often as it does.
type extent struct {
	rows, columns, cells int
	row                  *html.Node
	width                int
}

func (e *extent) cell(node, row *html.Node) {
	wide, high := span(node, "colspan"), span(node, "rowspan")
	if row != e.row {
		e.row, e.width = row, 0
	}
	e.width += wide
	e.columns = max(e.columns, e.width)
	e.cells += wide * high
}

// span reads an attribute of a cell, and takes it away if it is none or beyond the bound.
func span(node *html.Node, name string) int {
	wide, err := strconv.Atoi(attribute(node, name))
	if err != nil || wide < 1 || wide > spanMax {
		node.Attr = slices.DeleteFunc(node.Attr, func(one html.Attribute) bool { return one.Key == name })
		return 1
	}
	return wide
}

// above is the nearest element of a kind around a node.
func above(node *html.Node, kind atom.Atom) *html.Node {
	for at := node.Parent; at != nil; at = at.Parent {
		if at.DataAtom == kind {
			return at
		}
	}
	return nil
}

// unmade turns a table and all in it into blocks with words.
func unmade(table *html.Node) {
	names := map[atom.Atom]atom.Atom{
		atom.Table: atom.Div, atom.Thead: atom.Div, atom.Tbody: atom.Div, atom.Tfoot: atom.Div, atom.Tr: atom.Div,
		atom.Caption: atom.Div, atom.Td: atom.Span, atom.Th: atom.Span,
	}
	change := func(node *html.Node) {
		other, ok := names[node.DataAtom]
		if !ok {
			return
		}
		node.DataAtom, node.Data = other, other.String()
		if other == atom.Span {
			node.InsertBefore(&html.Node{Type: html.TextNode, Data: " "}, node.FirstChild)
		}
	}
	nodes := slices.Collect(table.Descendants())
	change(table)
	for _, node := range nodes {
		change(node)
	}
}
