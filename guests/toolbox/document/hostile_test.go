package document

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// hostile pages have up to ten million bytes, as much as a body may have.
func hostile() map[string]string {
	var distinct, links, spans strings.Builder
	for n := range 100_000 {
		fmt.Fprintf(&distinct, "<p><b id=%d>x", n)
		fmt.Fprintf(&links, "<a href=/%d>%d</a> ", n, n)
		fmt.Fprintf(&spans, "<td colspan=1000 rowspan=1000>%d", n)
	}
	const full = 10_000_000
	return map[string]string{
		"deep":          strings.Repeat("<div>", 100_000) + "end" + strings.Repeat("</div>", 100_000),
		"deep open":     strings.Repeat("<div>x", 1_000_000),
		"deep quotes":   strings.Repeat("<blockquote>", 100_000) + strings.Repeat("x<br>", 500_000),
		"deep lists":    strings.Repeat("<ul><li>", 100_000) + strings.Repeat("x<p>", 500_000),
		"deep tables":   strings.Repeat("<table><tr><td>", 100_000) + strings.Repeat("x<p>", 500_000),
		"formatting":    distinct.String(),
		"links":         links.String(),
		"attribute":     "<p id='" + strings.Repeat("a", full) + "'>end",
		"attributes":    "<p " + strings.Repeat("a=b ", full/4) + ">end",
		"names":         "<" + strings.Repeat("a", full) + ">end",
		"tags":          strings.Repeat("<br>", full/4),
		"ends":          strings.Repeat("</p>", full/4),
		"less":          strings.Repeat("<", full),
		"text":          strings.Repeat("word ![a](b) ", full/13),
		"paragraphs":    strings.Repeat("<p>Some words, and some more of them, to look like an article.</p>", full/66),
		"cells":         "<table>" + strings.Repeat("<td>x", full/5),
		"spans":         "<table><tr>" + spans.String(),
		"square":        "<table><tr>" + strings.Repeat("<td>x", 50_000) + strings.Repeat("<tr><td>x", 50_000),
		"stars":         "<p>" + strings.Repeat("*_", full/2),
		"entities":      strings.Repeat("&amp;&#x21;&notin;", full/18),
		"comments":      strings.Repeat("<!-- x", full/6),
		"comment":       "<!--" + strings.Repeat("x", full),
		"preformatted":  "<pre>" + strings.Repeat("```\n", full/4),
		"code":          strings.Repeat("<code>`</code>", full/14),
		"headings":      strings.Repeat("<h1>x", full/5),
		"select":        strings.Repeat("<select><option>x", full/17),
		"svg":           strings.Repeat("<svg><p>", full/8),
		"math":          strings.Repeat("<math><mi><p>", full/13),
		"template":      strings.Repeat("<template>", full/10),
		"foster":        strings.Repeat("<table>x", full/8),
		"frames":        "<frameset>" + strings.Repeat("<frame>", full/7),
		"forms":         strings.Repeat("<form><input><button>", full/21),
		"white":         strings.Repeat(" \n", full/2),
		"line":          strings.Repeat("<p>"+strings.Repeat("x", 1000)+"<br>", full/1007),
		"nested inline": strings.Repeat("<span>", 190) + strings.Repeat("<i>x</i> ", full/9),
	}
}

// articles are pages within which an article is looked for.
func articles() map[string]string {
	sentence := strings.Repeat("Some words, and some more of them, to look like an article. ", 4)
	words := "<p class=content>" + sentence + "</p>"
	fill := func(text string) string { return strings.Repeat(text, (articleTextMax-1000)/len(text)) }
	return map[string]string{
		"wide":    fill(words),
		"nested":  strings.Repeat("<div class=article>", 190) + fill(words),
		"rows":    "<table>" + fill("<tr><td>"+words),
		"breaks":  fill("<div>" + sentence + "<br><br>of them.</div>"),
		"stairs":  fill(strings.Repeat("<div class=post>"+words, 100) + strings.Repeat("</div>", 100)),
		"links":   fill("<p>" + sentence + ", with a link: <a href=/x>here</a> and, well, there."),
		"hidden":  fill("<div style='display:none'>" + words + "</div>" + words),
		"list":    words + "<ul>" + fill("<li>Some, words, and, commas, in a list, of, things"),
		"removed": words + fill("<div class=comment><p class=sidebar>"+sentence+"</div>"),
		"small":   words + fill("<p>x, y, z<b>x</b>"),
	}
}

func TestAHostilePageEndsInTimeAndMemory(t *testing.T) {
	pages := hostile()
	for name, text := range articles() {
		pages["article: "+name] = text
	}
	for name, text := range pages {
		t.Run(name, func(t *testing.T) {
			begin := time.Now()
			page, err := Parse(text, address)
			if err != nil {
				t.Fatal(err)
			}
			_, found := page.Article()
			written, err := page.Whole().Markdown()
			plain := page.Whole().Text()
			took := time.Since(begin)
			t.Logf("%v, %d bytes of Markdown, %d of text, cut: %v, article: %v", took, len(written.Text), len(plain), page.Cut, found)
			if took > 20*time.Second || err != nil || len(written.Text) > 5*textBytesMax || len(plain) > 2*textBytesMax {
				t.Errorf("%v, %d bytes of Markdown, %d of text, %v", took, len(written.Text), len(plain), err)
			}
		})
	}
}

func TestTheBoundsCutAPageAndSayIt(t *testing.T) {
	for _, c := range []struct {
		html string
		cut  bool
		end  string
	}{
		{strings.Repeat("<p>x", piecesMax/4) + "<p>end", false, "end"},
		{strings.Repeat("<p>x", piecesMax) + "<p>end", true, "x"},
		{strings.Repeat("x", textBytesMax-10) + "end", false, "end"},
		{strings.Repeat("x", textBytesMax) + "end", true, "x"},
		{strings.Repeat("<div>", 10*depthMax) + "deep" + strings.Repeat("</div>", 10*depthMax) + "<p>end", false, "deep\n\nend"},
		{"<ul>" + strings.Repeat("<li><ul>", 100) + "<li>deep" + strings.Repeat("</ul>", 101) + "<p>end", false, "end"},
	} {
		page := parsed(t, c.html)
		if text := page.Whole().Text(); page.Cut != c.cut || !strings.HasSuffix(text, c.end) {
			t.Errorf("%.40s: cut %v, ends in %q", c.html, page.Cut, text[max(0, len(text)-20):])
		}
	}
}
