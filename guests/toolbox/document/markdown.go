package document

import (
	"bytes"
	"fmt"
	"net/url"
	"strings"

	"github.com/JohannesKaufmann/html-to-markdown/v2/converter"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/base"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/commonmark"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/strikethrough"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/table"
	"golang.org/x/net/html"
)

// Markdown is a text whose links are numbered: `[text][3]` is the third of Links.
type Markdown struct {
	Text  string
	Links []string // absolute
}

// Markdown writes the selection.
func (s Selection) Markdown() (Markdown, error) {
	writing := &markdown{base: s.page.base, numbers: map[string]int{}}
	conv := converter.NewConverter(converter.WithPlugins(
		base.NewBasePlugin(), commonmark.NewCommonmarkPlugin(commonmark.WithListEndComment(false)),
		strikethrough.NewStrikethroughPlugin(),
		table.NewTablePlugin(table.WithCellPaddingBehavior(table.CellPaddingBehaviorMinimal),
			table.WithNewlineBehavior(table.NewlineBehaviorPreserve), table.WithHeaderPromotion(true), table.WithSkipEmptyRows(true)),
	))
	conv.Register.RendererFor("a", converter.TagTypeInline, writing.link, converter.PriorityEarly)
	for _, name := range []string{"img", "picture", "video", "audio", "embed"} {
		conv.Register.RendererFor(name, converter.TagTypeInline, writing.image, converter.PriorityEarly)
	}
	var out strings.Builder
	for _, node := range s.nodes {
		plainTables(node)
		plainCells(node)
		text, err := conv.ConvertNode(node)
		if err != nil {
			return Markdown{}, err
		}
		if text = bytes.TrimSpace(text); len(text) > 0 {
			if out.Len() > 0 {
				out.WriteString("\n\n")
			}
			out.Write(text)
		}
	}
	return Markdown{out.String(), writing.links}, nil
}

type markdown struct {
	base    *url.URL
	links   []string
	numbers map[string]int
}

// link writes the text of a link and its number. What leads nowhere else (a place of the same page, a script) is text.
func (m *markdown) link(ctx converter.Context, out converter.Writer, node *html.Node) converter.RenderStatus {
	var inner bytes.Buffer
	ctx.RenderChildNodes(ctx, &inner, node)
	text := strings.Join(strings.Fields(inner.String()), " ")
	target := m.absolute(attribute(node, "href"))
	switch {
	case target == "":
		out.Write(inner.Bytes())
		return converter.RenderSuccess
	case text == "":
		return converter.RenderSuccess
	}
	number, known := m.numbers[target]
	if !known {
		m.links = append(m.links, target)
		number = len(m.links)
		m.numbers[target] = number
	}
	fmt.Fprintf(out, "[%s][%d]", text, number)
	return converter.RenderSuccess
}

// schemes are what a link may lead to.
var schemes = set("http https ftp mailto tel")

// absolute is a link's target, "" for what is none.
func (m *markdown) absolute(href string) string {
	href = strings.TrimSpace(href)
	if href == "" || href[0] == '#' {
		return ""
	}
	target, err := m.base.Parse(href)
	if err != nil || !schemes[target.Scheme] {
		return ""
	}
	return target.String()
}

// image writes what a picture shows. Its address is left out: whoever renders the text would load it.
func (m *markdown) image(ctx converter.Context, out converter.Writer, node *html.Node) converter.RenderStatus {
	if node.Data == "picture" {
		ctx.RenderChildNodes(ctx, out, node)
		return converter.RenderSuccess
	}
	alt := words(attribute(node, "alt"))
	if alt == "" {
		alt = words(attribute(node, "title"))
	}
	if alt == "" && node.Data == "img" {
		return converter.RenderSuccess // decoration
	}
	kind := map[string]string{"img": "image"}[node.Data]
	if kind == "" {
		kind = node.Data
	}
	text := strings.NewReplacer("[", "(", "]", ")", "!", "").Replace(strings.Trim(kind+": "+alt, ": "))
	out.WriteString("[" + text + "]")
	return converter.RenderSuccess
}
