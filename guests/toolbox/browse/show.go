package browse

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"capbox/toolbox/abi"
	"capbox/toolbox/document"
)

// shown is a text that is paged. Links are named in it as `[text][3]`.
type shown struct {
	text  string
	links []string
	notes []string
}

// show turns a body into what was asked for.
func (f *fetching) show(raw []byte) abi.Result {
	text, charset := document.Decoded(raw, f.data.ContentType)
	f.data.Charset = charset
	html := isHTML(f.data.ContentType, text)
	switch {
	case f.args.Format == "json":
		pretty, note, err := indented(text)
		if err != nil {
			return f.fail(abi.Fail("invalid_json", "%s is no JSON (%s): %s. Use another format.", f.data.URL, f.kind(), err))
		}
		return f.page(shown{text: pretty, notes: note})
	case f.args.Format == "raw":
		return f.page(shown{text: text})
	case html:
		return f.showHTML(text)
	case f.args.Selector != "":
		return f.fail(abi.Fail("invalid_arguments", "selector: %s is %s, not HTML.", f.data.URL, f.kind()))
	case f.args.Format == "markdown" && document.Kind(f.data.ContentType) != "application/json":
		text = imageMarks.ReplaceAllString(text, "[image: ")
	}
	return f.page(shown{text: text})
}

// imageMarks make whoever renders a text load an address; what is left of such an image is a link.
var imageMarks = regexp.MustCompile(`!\[`)

func (f *fetching) kind() string {
	if kind := document.Kind(f.data.ContentType); kind != "" {
		return kind
	}
	return "of a type that is not said"
}

// isHTML goes by the type; where there is none, or only that of any bytes, by how the text begins.
func isHTML(contentType, text string) bool {
	switch document.Kind(contentType) {
	case "text/html", "application/xhtml+xml":
		return true
	case "", "application/octet-stream":
		begin := strings.ToLower(strings.TrimSpace(text[:min(len(text), 512)]))
		return strings.HasPrefix(begin, "<!doctype html") || strings.HasPrefix(begin, "<html")
	}
	return false
}

func (f *fetching) showHTML(text string) abi.Result {
	page, err := document.Parse(text, f.address)
	if err != nil {
		return f.fail(abi.Fail("protocol", "%s: the HTML cannot be read: %s. Use format raw.", f.data.URL, err))
	}
	part, out := page.Whole(), shown{}
	switch {
	case f.args.Selector != "":
		if part, err = page.Select(f.args.Selector); err != nil {
			return f.fail(abi.Fail("invalid_selector", "selector: %s.", err))
		}
		if part.Count() == 0 {
			return f.fail(abi.Fail("no_match", "%s: nothing matches the selector %s.", f.data.URL, f.args.Selector))
		}
	default:
		if article, ok := page.Article(); ok {
			part = article
			if article.Part {
				out.notes = append(out.notes, `[the main text alone; selector "body" shows all of the page]`)
			}
		}
	}
	if page.Cut {
		out.notes = append(out.notes, "[the page is too large to be read whole; format raw shows all of its source]")
	}
	f.data.Title = clipped(part.Title, 300)
	if f.args.Format == "text" {
		out.text = part.Text()
		return f.page(out)
	}
	written, err := part.Markdown()
	if err != nil {
		return f.fail(abi.Fail("protocol", "%s: the HTML cannot be written as Markdown: %s. Use format text.", f.data.URL, err))
	}
	out.text, out.links = written.Text, written.Links
	if title := part.Title; title != "" && f.args.Selector == "" && !strings.HasPrefix(out.text, "# ") {
		out.text = "# " + title + "\n\n" + out.text
	}
	return f.page(out)
}

// indentedBytesMax bounds JSON that is written in lines: deep JSON grows by what its lines are indented.
const indentedBytesMax = 32 << 20

// indented checks JSON and writes it in lines, unless these would be too long.
func indented(text string) (pretty string, notes []string, err error) {
	if !json.Valid([]byte(text)) {
		var any json.RawMessage
		if err := json.Unmarshal([]byte(text), &any); err != nil {
			return "", nil, err
		}
	}
	depth, size, quoted := 0, len(text), false
	for at := 0; at < len(text); at++ {
		switch b := text[at]; {
		case quoted && b == '\\':
			at++
		case b == '"':
			quoted = !quoted
		case quoted:
		case b == '{' || b == '[':
			depth++
			size += 2 * depth
		case b == '}' || b == ']':
			depth--
			size += 2 * depth
		case b == ',':
			size += 2 * depth
		}
	}
	if size > indentedBytesMax {
		return text, []string{"[too deep to be indented]"}, nil
	}
	var out bytes.Buffer
	err = json.Indent(&out, []byte(text), "", "  ")
	return out.String(), nil, err
}

// reserved is kept free for the result's frame, data and closing notes.
const reserved = 2 << 10

// page cuts the text to what was asked for and fits, and adds the links that this page names.
func (f *fetching) page(whole shown) abi.Result {
	chars := utf8.RuneCountInString(whole.text)
	f.data.Chars = &chars
	if f.args.Offset >= chars && f.args.Offset > 0 {
		return abi.OK(fmt.Sprintf("[offset %d is past the end: the text has %s characters]", f.args.Offset, abi.Grouped(chars)), f.data)
	}
	before, _ := firstChars(whole.text, f.args.Offset)
	rest := whole.text[len(before):]
	room := f.req.Call.OutputBytesMax
	room -= min(reserved, room/2) + 2*abi.EscapedSize([]byte(f.data.URL+f.data.Title+f.data.ContentType))
	room = max(room, 512)
	text, cut := fitting(rest, *f.args.MaxChars, room*3/4)
	var out strings.Builder
	out.WriteString(text)
	if len(text) < len(rest) {
		text = wholeLines(text)
		out.Reset()
		out.WriteString(text)
		next := f.args.Offset + utf8.RuneCountInString(text)
		f.data.NextOffset = &next
		whole.notes = append(whole.notes, fmt.Sprintf("[%s characters more: offset=%d]", abi.Grouped(chars-next), next))
	}
	out.WriteString(references(text, whole.links, room/4))
	for _, note := range whole.notes {
		out.WriteString("\n\n" + note)
	}
	res := abi.OK(out.String(), f.data)
	res.Truncated = cut // a page that was asked for as it is lacks nothing
	return res
}

// fitting is the beginning of a text, of at most so many characters, and bytes once it is a JSON string; the second
// result says that it was the bytes that cut it.
func fitting(text string, chars, bytes int) (string, bool) {
	for at, char := range text {
		width := utf8.RuneLen(char)
		if chars--; chars < 0 {
			return text[:at], false
		}
		if bytes -= abi.EscapedSize([]byte(text[at : at+width])); bytes < 0 {
			return text[:at], true
		}
	}
	return text, false
}

// wholeLines drops the beginning of a last line, unless it is most of the text.
func wholeLines(text string) string {
	if at := strings.LastIndexByte(text, '\n'); at > len(text)*3/4 {
		return text[:at+1]
	}
	return text
}

var linkNumbers = regexp.MustCompile(`\]\[([1-9][0-9]{0,6})\]`)

// references lists the targets of the links that a text names.
func references(text string, links []string, room int) string {
	var out strings.Builder
	listed := map[int]bool{}
	for _, found := range linkNumbers.FindAllStringSubmatch(text, -1) {
		number, _ := strconv.Atoi(found[1])
		if number > len(links) || listed[number] {
			continue
		}
		listed[number] = true
		line := fmt.Sprintf("\n[%d]: %s", number, links[number-1])
		if room -= abi.EscapedSize([]byte(line)); room < 64 {
			out.WriteString("\n[the other links have no room here: use a smaller max_chars]")
			break
		}
		out.WriteString(line)
	}
	if out.Len() == 0 {
		return ""
	}
	return "\n" + out.String()
}
