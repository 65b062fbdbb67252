// Package browse is the tools fetch and search: what a server sends becomes a text that a model can read.
//
// It guarantees results no larger than the request's output bound, Markdown that loads nothing by itself, files that are
// written whole or not at all, and errors that name the address, the reason and the way on. What may be asked of whom is
// decided by the host; everything that comes is taken for hostile.
package browse

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"capbox/toolbox/abi"
	"capbox/toolbox/document"
	"capbox/toolbox/files"
	"capbox/toolbox/web"
)

const (
	charsUsual = 20_000
	charsMax   = 1_000_000
	// textBytesMax bounds a body that is shown; save_to takes larger ones.
	textBytesMax = 16 << 20
	// selectorBytesMax bounds what one element is compared with.
	selectorBytesMax = 1000
	userAgent        = "capbox"
)

type fetchArguments struct {
	URL      string            `json:"url"`
	Method   string            `json:"method"`
	Headers  map[string]string `json:"headers"`
	Body     *string           `json:"body"`
	Format   string            `json:"format"`
	MaxChars *int              `json:"max_chars"`
	Offset   int               `json:"offset"`
	Selector string            `json:"selector"`
	SaveTo   string            `json:"save_to"`
}

// fetchData is what a result says to programs. Chars counts all of the text, of which Content may be a page.
type fetchData struct {
	URL         string `json:"url"`
	Status      int    `json:"status"`
	ContentType string `json:"content_type"`
	Bytes       int64  `json:"bytes"`
	Chars       *int   `json:"chars,omitempty"`
	Title       string `json:"title,omitempty"`
	Charset     string `json:"charset,omitempty"`
	NextOffset  *int   `json:"next_offset,omitempty"`
	Saved       string `json:"saved,omitempty"`

	Headers [][2]string `json:"headers,omitempty"` // of a HEAD
}

var formats = []string{"markdown", "text", "raw", "json"}

// Fetch gets one address and shows what is there, or saves it.
func Fetch(req *abi.Request) abi.Result {
	var args fetchArguments
	if bad, ok := abi.Arguments(req, &args); !ok {
		return bad
	}
	address, bad, ok := args.check()
	if !ok {
		return bad
	}
	f := &fetching{req: req, args: args}
	if args.SaveTo != "" {
		if f.target, bad, ok = files.NewTarget(req, args.SaveTo); !ok {
			return bad
		}
	}
	f.what = args.Method + " " + clipped(address.String(), 1000)
	response, err := web.Do(args.request(address))
	if err != nil {
		return refused(f.what, err)
	}
	defer response.Body.Close()
	f.data = &fetchData{
		URL: clipped(response.URL, 8<<10), Status: response.Status, ContentType: clipped(response.Header("Content-Type"), 200),
	}
	if f.address, err = url.Parse(response.URL); err != nil {
		f.address = address
	}
	return f.answer(response)
}

// clipped keeps what a server says of itself from filling a result.
func clipped(text string, chars int) string {
	kept, _ := firstChars(text, chars)
	return kept
}

// check completes the arguments, and refuses what does not go together.
func (a *fetchArguments) check() (*url.URL, abi.Result, bool) {
	wrong := func(format string, args ...any) (*url.URL, abi.Result, bool) {
		return nil, abi.Fail("invalid_arguments", format, args...), false
	}
	address, err := web.Canonical(a.URL)
	if err != nil {
		return wrong("url: %s.", err)
	}
	if a.Method = strings.ToUpper(a.Method); a.Method == "" {
		a.Method = "GET"
	}
	if a.Format == "" {
		a.Format = "markdown"
	}
	if a.MaxChars == nil {
		usual := charsUsual
		a.MaxChars = &usual
	}
	switch {
	case !slices.Contains(formats, a.Format):
		return wrong("format: one of %s.", strings.Join(formats, ", "))
	case len(a.Selector) > selectorBytesMax:
		return wrong("selector: longer than %s bytes.", abi.Grouped(selectorBytesMax))
	case *a.MaxChars < 1 || *a.MaxChars > charsMax:
		return wrong("max_chars: 1 to %s.", abi.Grouped(charsMax))
	case a.Offset < 0:
		return wrong("offset counts characters from 0.")
	case a.Selector != "" && (a.Format == "raw" || a.Format == "json"):
		return wrong("selector goes with format markdown or text, not %s.", a.Format)
	case a.SaveTo != "" && (a.Selector != "" || a.Offset > 0):
		return wrong("save_to saves what comes as it is: leave out selector and offset.")
	}
	for _, name := range sortedKeys(a.Headers) {
		if web.OfTheHost(name) {
			return wrong("headers: %s is the host's to send.", clipped(name, 100))
		}
	}
	return address, abi.Result{}, true
}

func (a *fetchArguments) request(address *url.URL) *web.Request {
	request := &web.Request{Method: a.Method, URL: address.String(), Redirects: web.RedirectsMax, Decode: true}
	given := map[string]bool{}
	for _, name := range sortedKeys(a.Headers) {
		request.Headers = append(request.Headers, [2]string{name, a.Headers[name]})
		given[strings.ToLower(name)] = true
	}
	usual := func(name, value string) {
		if !given[strings.ToLower(name)] {
			request.Headers = append(request.Headers, [2]string{name, value})
		}
	}
	usual("User-Agent", userAgent)
	switch {
	case a.Format == "json":
		usual("Accept", "application/json, */*;q=0.5")
	case a.Format == "raw" || a.SaveTo != "":
		usual("Accept", "*/*")
	default:
		usual("Accept", "text/html, application/xhtml+xml, text/markdown, text/plain;q=0.9, */*;q=0.5")
	}
	if a.Body != nil {
		request.Body = []byte(*a.Body)
		kind := "text/plain; charset=utf-8"
		if json.Valid(request.Body) {
			kind = "application/json"
		}
		usual("Content-Type", kind)
	}
	return request
}

func sortedKeys[V any](all map[string]V) []string {
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// fetching is one call of the tool.
type fetching struct {
	req     *abi.Request
	args    fetchArguments
	what    string // the method and the address, for messages
	target  files.Target
	address *url.URL // of the last request
	data    *fetchData
}

func (f *fetching) answer(response *web.Response) abi.Result {
	if response.Status >= 400 {
		return f.failedStatus(response)
	}
	if f.args.SaveTo != "" {
		return f.save(response)
	}
	head := make([]byte, 8<<10)
	n, err := io.ReadFull(response.Body, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return refused(f.what, err)
	}
	head = head[:n]
	switch {
	case f.args.Method == "HEAD":
		return f.onlyHead(response)
	case n == 0 && (f.args.Format != "json" || response.Status != 200):
		return f.empty(response)
	}
	if kind := binary(head, document.Kind(f.data.ContentType)); kind != "" {
		size := "of unknown size"
		if response.Length != nil {
			size = abi.Grouped(*response.Length) + " bytes"
		}
		return f.fail(abi.Fail("binary", "%s is %s (%s), which is no text: give save_to, a path, to keep it as a file.",
			f.data.URL, kind, size))
	}
	rest, err := io.ReadAll(io.LimitReader(response.Body, textBytesMax-int64(n)+1))
	switch {
	case err != nil:
		return refused(f.what, err)
	case n+len(rest) > textBytesMax:
		return f.fail(abi.Fail("too_large", "%s is larger than the %s bytes that are shown: give save_to, a path, to keep it as a file.",
			f.data.URL, abi.Grouped(textBytesMax)))
	}
	f.data.Bytes = int64(n + len(rest))
	return f.show(append(head, rest...))
}

// onlyHead shows what a HEAD asked for.
func (f *fetching) onlyHead(response *web.Response) abi.Result {
	var out strings.Builder
	fmt.Fprintf(&out, "%s\n", strings.TrimSpace(fmt.Sprintf("%d %s", response.Status, response.Reason)))
	for _, header := range response.Headers {
		fmt.Fprintf(&out, "%s: %s\n", header[0], header[1])
	}
	f.data.Headers = response.Headers
	// In the text and in the data.
	if room := f.req.Call.OutputBytesMax/3 - reserved; abi.EscapedSize([]byte(out.String())) > room {
		return f.fail(abi.Fail("too_large", "%s: the headers have no room in the output.", f.data.URL))
	}
	return abi.OK(out.String(), f.data)
}

// empty says that nothing came, and why that may be so.
func (f *fetching) empty(response *web.Response) abi.Result {
	said := strings.TrimSpace(fmt.Sprintf("%d %s", response.Status, response.Reason))
	switch {
	case response.Status == 204 || response.Status == 304:
	case response.Status >= 300 && response.Header("Location") == "":
		said += ", without a Location"
	default:
		said += ", with an empty body"
	}
	none := 0
	f.data.Chars = &none
	return abi.OK("["+said+"]", f.data)
}

// fail adds to a failure what is known of the response.
func (f *fetching) fail(res abi.Result) abi.Result {
	res.Data = f.data
	return res
}

// binary says what a body is that is no text; "" for text.
func binary(head []byte, kind string) string {
	wide := len(head) > 1 && (head[0] == 0xff && head[1] == 0xfe || head[0] == 0xfe && head[1] == 0xff)
	found := files.BinaryKind(head)
	switch {
	case wide || found == "" && !strings.HasPrefix(kind, "image/") && !strings.HasPrefix(kind, "audio/") &&
		!strings.HasPrefix(kind, "video/") && !strings.HasPrefix(kind, "font/"), kind == "image/svg+xml":
		return ""
	case kind != "" && kind != "application/octet-stream" && !strings.HasPrefix(kind, "text/"):
		return kind
	case found == "" || found == "unknown type":
		return "binary"
	}
	return found
}

// save keeps the body as a file.
func (f *fetching) save(response *web.Response) abi.Result {
	bytes, bad, broken := f.target.Save(response.Body)
	switch {
	case broken != nil:
		return f.fail(refused(f.what, broken))
	case bad != nil:
		return f.fail(*bad)
	}
	f.data.Bytes, f.data.Saved = bytes, f.target.Path
	verb := "saved"
	if f.target.Exists {
		verb = "replaced"
	}
	kind := document.Kind(f.data.ContentType)
	if kind == "" {
		kind = "type not said"
	}
	return abi.OK(fmt.Sprintf("%s %s: %s, %s bytes, from %s", verb, f.target.Path, kind, abi.Grouped(bytes), f.data.URL), f.data)
}
