package document

import (
	"strings"

	"golang.org/x/net/html"
)

// blocks begin and end a line of plain text, paragraphs have an empty one around them.
var (
	blocks = set("address article aside body caption dd details dialog div dl dt fieldset figcaption figure footer form " +
		"header hgroup hr li main nav option section summary tbody tfoot thead title tr")
	paragraphs = set("blockquote h1 h2 h3 h4 h5 h6 ol p pre table ul")
	unread     = set("head input textarea select")
)

// Text writes the selection without any marks: a line a block, an empty one around paragraphs, a tab between cells.
func (s Selection) Text() string {
	out := &plain{}
	for _, node := range s.nodes {
		out.gap(2)
		out.node(node, false)
	}
	return out.text.String()
}

type plain struct {
	text  strings.Builder
	lines int  // line ends that the next word needs before it
	blank bool // a blank before the next word
}

func (p *plain) gap(lines int) { p.lines = max(p.lines, lines) }

func (p *plain) node(node *html.Node, kept bool) {
	if node.Type == html.TextNode {
		p.words(node.Data, kept)
		return
	}
	name := ""
	if node.Type == html.ElementNode {
		name = node.Data
	}
	switch {
	case unread[name]:
		return
	case name == "br":
		p.gap(1)
	case name == "img":
		if alt := words(attribute(node, "alt")); alt != "" {
			p.words("[image: "+alt+"]", false)
		}
	case (name == "td" || name == "th") && p.lines == 0 && p.text.Len() > 0:
		p.text.WriteByte('\t')
		p.blank = false
	}
	around := 0
	if paragraphs[name] {
		around = 2
	} else if blocks[name] {
		around = 1
	}
	p.gap(around)
	for child := node.FirstChild; child != nil; child = child.NextSibling {
		p.node(child, kept || name == "pre")
	}
	p.gap(around)
}

// words adds a text; kept leaves its white space as it is.
func (p *plain) words(text string, kept bool) {
	if strings.TrimSpace(text) == "" && !kept {
		p.blank = p.blank || text != ""
		return
	}
	if p.text.Len() > 0 && p.lines > 0 {
		p.text.WriteString("\n\n"[:min(p.lines, 2)])
		p.blank = false
	}
	p.lines = 0
	if kept {
		p.text.WriteString(text)
		p.blank = false
		return
	}
	if p.blank || strings.TrimLeft(text, " \t\r\n\f") != text {
		if p.text.Len() > 0 && !strings.HasSuffix(p.tail(), "\n") && !strings.HasSuffix(p.tail(), "\t") {
			p.text.WriteByte(' ')
		}
	}
	p.text.WriteString(words(text))
	p.blank = strings.TrimRight(text, " \t\r\n\f") != text
}

// tail is the last byte that was written.
func (p *plain) tail() string { return p.text.String()[p.text.Len()-1:] }
