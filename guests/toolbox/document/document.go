// Package document makes readable text of what servers send: it finds out the characters, reads HTML within bounds,
// finds the article, and writes Markdown or plain text.
//
// It guarantees time and memory in proportion to the length of a page, however it nests, and Markdown that loads
// nothing by itself: images are their descriptions. It makes no request, and does not say that a text is true.
package document

import (
	"net/url"
	"strings"

	readability "codeberg.org/readeck/go-readability/v2"
	"github.com/andybalholm/cascadia"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Page is an HTML page that was read.
type Page struct {
	Title string
	Cut   bool // the end of a page beyond the bounds was left out
	root  *html.Node
	base  *url.URL
	text  int // letters of the text of the body
}

// Parse reads a page; relative links are relative to the address, or to what the page says.
func Parse(text string, address *url.URL) (*Page, error) {
	kept, cut := bounded(text)
	root, err := html.Parse(strings.NewReader(kept))
	if err != nil {
		return nil, err
	}
	page := &Page{Cut: cut, root: root, base: address}
	for node := range root.Descendants() {
		switch {
		case node.Type == html.TextNode:
			page.text += len(node.Data)
		case node.DataAtom == atom.Title && page.Title == "":
			page.Title = words(textOf(node))
		case node.DataAtom == atom.Base:
			if href, err := address.Parse(attribute(node, "href")); err == nil && href.Host != "" && page.base == address {
				page.base = href
			}
		}
	}
	return page, nil
}

const (
	// articleTextMax is the largest page in which an article is looked for: finding it reads the page several times.
	articleTextMax = 512 << 10
	// articleTextMin is a text too short to be what a reader came for.
	articleTextMin = 200
	// articleElementsMax bounds the search in the same way.
	articleElementsMax = 20_000
)

// Article is the page's main text; false if there is none, as on a page of links.
func (p *Page) Article() (Selection, bool) {
	if p.text > articleTextMax {
		return Selection{}, false
	}
	parser := readability.NewParser()
	parser.MaxElemsToParse = articleElementsMax
	parser.DisableJSONLD = true
	parser.KeepClasses = true
	if !parser.CheckDocument(p.root) {
		return Selection{}, false
	}
	article, err := parser.ParseDocument(p.root, p.base)
	if err != nil || article.Node == nil {
		return Selection{}, false
	}
	found := Selection{page: p, nodes: []*html.Node{article.Node}, Title: words(article.Title())}
	letters := len(words(textOf(article.Node)))
	found.Part = letters < p.text/2
	return found, letters >= articleTextMin
}

// Whole is all of the page.
func (p *Page) Whole() Selection {
	for node := range p.root.Descendants() {
		if node.DataAtom == atom.Body || node.DataAtom == atom.Frameset {
			return Selection{page: p, nodes: []*html.Node{node}, Title: p.Title}
		}
	}
	return Selection{page: p, nodes: []*html.Node{p.root}, Title: p.Title}
}

// Select is what a CSS selector matches, in the order of the page and without matches inside of matches.
func (p *Page) Select(css string) (Selection, error) {
	selector, err := cascadia.ParseGroup(css)
	if err != nil {
		return Selection{}, err
	}
	found := Selection{page: p, Title: p.Title}
	matched := map[*html.Node]bool{}
	for node := range p.root.Descendants() {
		if node.Parent != nil && matched[node.Parent] {
			matched[node] = true // inside of one
			continue
		}
		if selector.Match(node) {
			matched[node] = true
			found.nodes = append(found.nodes, node)
		}
	}
	return found, nil
}

// Selection is a part of a page.
type Selection struct {
	Title string
	Part  bool // less than half of the text of the page
	page  *Page
	nodes []*html.Node
}

// Count is of how many elements it consists.
func (s Selection) Count() int { return len(s.nodes) }

func attribute(node *html.Node, name string) string {
	for _, one := range node.Attr {
		if one.Key == name && one.Namespace == "" {
			return one.Val
		}
	}
	return ""
}

// textOf is the text below a node as it stands.
func textOf(node *html.Node) string {
	var out strings.Builder
	for below := range node.Descendants() {
		if below.Type == html.TextNode {
			out.WriteString(below.Data)
		}
	}
	return out.String()
}

// words is a text with its white space made single blanks.
func words(text string) string { return strings.Join(strings.Fields(text), " ") }
