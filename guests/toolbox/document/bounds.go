package document

import (
	"slices"
	"strings"

	"golang.org/x/net/html"
)

const (
	// depthMax is how deep elements nest; deeper ones lose their tags, not their text. Pages of people stay below 60,
	// and Go's parser gives up at 512.
	depthMax = 200
	// piecesMax bounds tags and texts of a page: the tree of so many takes some 100 MB.
	piecesMax = 150_000
	// textBytesMax bounds the text of a page: a hundred novels.
	textBytesMax = 4 << 20
	// indentedMax is how deep lists and quotations nest: each level is written again before every line.
	indentedMax = 12
	// attributeBytesMax is the longest value that an attribute keeps, attributesMax how many an element has.
	attributeBytesMax = 4 << 10
	attributesMax     = 40
)

// bounding copies a page with every element closed where it ends and within the bounds, so that a hostile page costs
// what its length says: parsers take quadratic time and memory for formatting elements that are left open, and give up
// or overflow the stack on deep ones.
type bounding struct {
	tokens  *html.Tokenizer
	out     strings.Builder
	open    []string
	dropped map[string]int // start tags left out whose end tags are to come
	pieces  int
	text    int // bytes of text so far
}

// bounded is the page within the bounds; the second result says whether its end was cut off.
func bounded(page string) (string, bool) {
	b := &bounding{tokens: html.NewTokenizer(strings.NewReader(page)), dropped: map[string]int{}}
	for b.pieces < piecesMax && b.text < textBytesMax {
		if b.tokens.Next() == html.ErrorToken {
			b.closeTo(0)
			return b.out.String(), false
		}
		b.token(b.tokens.Token())
	}
	b.closeTo(0)
	return b.out.String(), true
}

func (b *bounding) token(token html.Token) {
	switch token.Type {
	case html.TextToken:
		b.pieces++
		kept := token.Data[:min(len(token.Data), textBytesMax-b.text)]
		b.text += len(kept)
		b.out.WriteString(html.EscapeString(strings.ToValidUTF8(kept, "")))
	case html.DoctypeToken:
		b.out.WriteString("<!DOCTYPE html>")
	case html.StartTagToken, html.SelfClosingTagToken:
		b.start(token)
	case html.EndTagToken:
		b.end(token.Data)
	}
}

// skipped elements hold nothing to read: their content goes with them.
var skipped = set("script style template svg noscript iframe noembed noframes object canvas")

// void elements have no end tag (HTML, 13.1.2).
var void = set("area base br col embed hr img input link meta source track wbr")

func (b *bounding) start(token html.Token) {
	name := token.Data
	switch {
	case skipped[name]:
		if token.Type == html.StartTagToken {
			b.skip(name)
		}
		return
	case name == "xmp" || name == "plaintext" || name == "listing":
		name, token.Data = "pre", "pre"
	}
	b.implied(name)
	b.pieces++
	if !void[name] {
		if len(b.open) >= depthMax || indented[name] && b.indentation() >= indentedMax {
			b.dropped[name]++
			b.out.WriteByte(' ')
			return
		}
		b.open = append(b.open, name)
	}
	kept := token.Attr[:0]
	for _, one := range token.Attr {
		if len(one.Val) <= attributeBytesMax && len(one.Key) <= 64 && len(kept) < attributesMax {
			kept = append(kept, one)
		}
	}
	token.Attr, token.Type = kept, html.StartTagToken
	b.out.WriteString(token.String())
}

var indented = set("blockquote ul ol menu dir dl")

// indentation is in how many lists and quotations the page is.
func (b *bounding) indentation() (depth int) {
	for _, name := range b.open {
		if indented[name] {
			depth++
		}
	}
	return depth
}

// skip passes over an element's content. The tokenizer itself takes that of script and style as one text.
func (b *bounding) skip(name string) {
	for depth := 1; depth > 0; {
		switch b.tokens.Next() {
		case html.ErrorToken:
			return
		case html.StartTagToken:
			if tag, _ := b.tokens.TagName(); string(tag) == name {
				depth++
			}
		case html.EndTagToken:
			if tag, _ := b.tokens.TagName(); string(tag) == name {
				depth--
			}
		}
	}
}

func (b *bounding) end(name string) {
	switch {
	case name == "br":
		b.out.WriteString("<br>")
		return
	case name == "xmp" || name == "plaintext" || name == "listing":
		name = "pre"
	}
	if b.dropped[name] > 0 {
		b.dropped[name]--
		return
	}
	for at := len(b.open) - 1; at >= 0; at-- {
		if b.open[at] == name {
			b.closeTo(at)
			return
		}
		if scopes[b.open[at]] && !tables[name] {
			return
		}
	}
}

// closeTo ends the elements from a depth on.
func (b *bounding) closeTo(depth int) {
	for _, name := range slices.Backward(b.open[depth:]) {
		b.out.WriteString("</" + name + ">")
	}
	b.open = b.open[:depth]
}

// scopes keep an end tag within them from ending what is outside.
var (
	scopes = set("table td th caption")
	tables = set("table thead tbody tfoot tr td th caption body html")
)

// ending is which open elements a start tag ends, and which keep it from looking further (HTML, 13.1.2.4).
var ending = map[string]struct{ ends, within map[string]bool }{
	"li":       {set("li"), set("ul ol menu dir table")},
	"dd":       {set("dd dt"), set("dl table")},
	"dt":       {set("dd dt"), set("dl table")},
	"p":        {set("p"), nil},
	"a":        {set("a"), set("table td th caption")},
	"tr":       {set("tr"), set("table")},
	"td":       {set("td th"), set("tr table")},
	"th":       {set("td th"), set("tr table")},
	"thead":    {set("thead tbody tfoot caption"), set("table")},
	"tbody":    {set("thead tbody tfoot caption"), set("table")},
	"tfoot":    {set("thead tbody tfoot caption"), set("table")},
	"option":   {set("option"), set("select datalist optgroup")},
	"optgroup": {set("optgroup"), set("select")},
	"rt":       {set("rt rp"), set("ruby")},
	"rp":       {set("rt rp"), set("ruby")},
}

// formatting elements do not hide an open paragraph from the next one.
var formatting = set("a abbr b bdi bdo big cite code dfn em font i kbd mark nobr q s samp small span strike strong sub sup tt u var")

// implied ends what a start tag ends without an end tag.
func (b *bounding) implied(name string) {
	rule, ok := ending[name]
	if !ok {
		return
	}
	for at := len(b.open) - 1; at >= 0; at-- {
		open := b.open[at]
		switch {
		case rule.ends[open]:
			b.closeTo(at)
			return
		case rule.within[open] || rule.within == nil && !formatting[open]:
			return
		}
	}
}

func set(words string) map[string]bool {
	all := map[string]bool{}
	for _, word := range strings.Fields(words) {
		all[word] = true
	}
	return all
}
