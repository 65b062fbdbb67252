package browse

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"

	"capbox/toolbox/abi"
	"capbox/toolbox/document"
	"capbox/toolbox/web"
)

const (
	countUsual, countMax = 8, 20
	queryBytesMax        = 2000
	// answerBytesMax bounds a search engine's answer.
	answerBytesMax = 4 << 20
	titleChars     = 200
	excerptShown   = 500
)

type searchArguments struct {
	Query string `json:"query"`
	Count *int   `json:"count"`
}

// engine is the configuration `[search]`: where to ask, and where the answer holds what. Paths are dotted names.
type engine struct {
	URL     string            `json:"url"`
	Method  string            `json:"method"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
	Results string            `json:"results"`
	Title   string            `json:"title"`
	Link    string            `json:"link"`
	Text    string            `json:"text"`

	named bool // title is set there, so a result should have one
}

// Result is one hit of a search.
type Result struct {
	Title string `json:"title"`
	URL   string `json:"url"`
	Text  string `json:"text"`
}

type searchData struct {
	Query   string   `json:"query"`
	Results []Result `json:"results"`
}

const unconfigured = "no search engine is configured: in config.toml, the table [search] needs url (with {query} and, if the engine takes it, " +
	"{count}) and results, the dotted name of the list in its JSON answer; title, link and text name fields of a result and are " +
	"title, url and content if left out; method, headers and body are optional."

// Search asks the configured engine and lists what it found.
func Search(req *abi.Request) abi.Result {
	var args searchArguments
	if bad, ok := abi.Arguments(req, &args); !ok {
		return bad
	}
	count := countUsual
	if args.Count != nil {
		count = *args.Count
	}
	switch query := strings.TrimSpace(args.Query); {
	case query == "":
		return abi.Fail("invalid_arguments", "query is empty: say what to search for.")
	case len(query) > queryBytesMax:
		return abi.Fail("invalid_arguments", "query is longer than %s bytes.", abi.Grouped(queryBytesMax))
	case count < 1 || count > countMax:
		return abi.Fail("invalid_arguments", "count: 1 to %d.", countMax)
	}
	asked, bad, ok := configured(req.Settings)
	if !ok {
		return bad
	}
	request, err := asked.request(args.Query, count)
	if err != nil {
		return abi.Fail("not_configured", "[search] in config.toml: %s.", err)
	}
	what := request.Method + " " + request.URL
	response, err := web.Do(request)
	if err != nil {
		return refused(what, err)
	}
	defer response.Body.Close()
	if response.Status >= 400 {
		address, _ := url.Parse(request.URL)
		f := &fetching{what: what, address: address, data: &fetchData{
			URL: clipped(response.URL, 8<<10), Status: response.Status, ContentType: clipped(response.Header("Content-Type"), 200),
		}}
		return f.failedStatus(response)
	}
	raw, err := io.ReadAll(io.LimitReader(response.Body, answerBytesMax+1))
	if err != nil {
		return refused(what, err)
	}
	if len(raw) > answerBytesMax {
		return abi.Fail("invalid_answer", "the search engine's answer is larger than %s bytes.", abi.Grouped(answerBytesMax))
	}
	found, err := asked.read(raw, count)
	if err != nil {
		return abi.Fail("invalid_answer", "the search engine's answer is not as [search] in config.toml says: %s.", err)
	}
	return listed(req, args.Query, found)
}

// configured reads the settings; nothing, or something without the keys that are needed, is a failure.
func configured(settings json.RawMessage) (*engine, abi.Result, bool) {
	asked := &engine{}
	if err := json.Unmarshal(settings, asked); err != nil && len(settings) > 0 {
		return nil, abi.Fail("not_configured", "[search] in config.toml has a key of the wrong type; %s", unconfigured), false
	}
	if asked.URL == "" || asked.Results == "" {
		return nil, abi.Fail("not_configured", "%s", unconfigured), false
	}
	asked.named = asked.Title != ""
	asked.Title, asked.Link, asked.Text = cmp.Or(asked.Title, "title"), cmp.Or(asked.Link, "url"), cmp.Or(asked.Text, "content")
	return asked, abi.Result{}, true
}

// request fills in what is asked, escaped for where it stands: in a URL, in JSON or in a form.
func (e *engine) request(query string, count int) (*web.Request, error) {
	fill := func(template, query string) string {
		return strings.NewReplacer("{query}", query, "{count}", strconv.Itoa(count)).Replace(template)
	}
	address, err := web.Canonical(fill(e.URL, url.QueryEscape(query)))
	if err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	request := &web.Request{Method: strings.ToUpper(e.Method), URL: address.String(), Redirects: web.RedirectsMax, Decode: true}
	given := map[string]bool{}
	for _, name := range sortedKeys(e.Headers) {
		if web.OfTheHost(name) {
			return nil, fmt.Errorf("headers: %s is the host's to send", name)
		}
		request.Headers = append(request.Headers, [2]string{name, e.Headers[name]})
		given[strings.ToLower(name)] = true
	}
	usual := func(name, value string) {
		if !given[strings.ToLower(name)] {
			request.Headers = append(request.Headers, [2]string{name, value})
		}
	}
	usual("User-Agent", userAgent)
	usual("Accept", "application/json")
	if e.Body != "" {
		if strings.HasPrefix(strings.TrimSpace(e.Body), "{") {
			quoted, _ := json.Marshal(query)
			request.Body = []byte(fill(e.Body, string(quoted[1:len(quoted)-1])))
			usual("Content-Type", "application/json")
		} else {
			request.Body = []byte(fill(e.Body, url.QueryEscape(query)))
			usual("Content-Type", "application/x-www-form-urlencoded")
		}
	}
	if request.Method == "" {
		request.Method = map[bool]string{true: "POST", false: "GET"}[e.Body != ""]
	}
	return request, nil
}

// read finds the results in an answer. One without an address is left out.
func (e *engine) read(raw []byte, count int) ([]Result, error) {
	var answer any
	if err := json.Unmarshal(raw, &answer); err != nil {
		begin, _ := firstChars(string(bytes.ToValidUTF8(raw, []byte("?"))), 80)
		return nil, fmt.Errorf("it is no JSON (%w) and begins with %q", err, begin)
	}
	list, ok := at(answer, e.Results).([]any)
	if !ok {
		return nil, fmt.Errorf("it has no list at %s%s", e.Results, holding(answer))
	}
	results, linked, titled := []Result{}, 0, false
	for _, one := range list {
		link, _ := at(one, e.Link).(string)
		address, err := url.Parse(strings.TrimSpace(link))
		if err != nil || address.Scheme != "http" && address.Scheme != "https" {
			continue
		}
		titled = titled || readable(at(one, e.Title)) != ""
		if linked++; len(results) < count {
			results = append(results, Result{
				clipped(readable(at(one, e.Title)), titleChars), clipped(address.String(), 2000),
				clipped(readable(at(one, e.Text)), excerptShown),
			})
		}
	}
	if len(list) > 0 && linked == 0 {
		return nil, fmt.Errorf("none of the %d results has an address at %s", len(list), e.Link)
	}
	if linked > 0 && !titled && e.named {
		return nil, fmt.Errorf("none of the %d results has a text at %s, where title says", len(list), e.Title)
	}
	return results, nil
}

// holding names what an answer has where something else was looked for.
func holding(answer any) string {
	object, ok := answer.(map[string]any)
	if !ok || len(object) == 0 {
		return ""
	}
	names, _ := firstChars(strings.Join(sortedKeys(object), ", "), 200)
	return ", but " + names
}

// at follows a dotted name through objects, and the numbers of lists; nil if it leads nowhere.
func at(value any, path string) any {
	for name := range strings.SplitSeq(path, ".") {
		switch inner := value.(type) {
		case map[string]any:
			value = inner[name]
		case []any:
			number, err := strconv.Atoi(name)
			if err != nil || number < 0 || number >= len(inner) {
				return nil
			}
			value = inner[number]
		default:
			return nil
		}
	}
	return value
}

// readable is a text without the marks that engines put around what was searched for.
func readable(value any) string {
	text, _ := value.(string)
	text, _ = firstChars(text, 20*excerptShown)
	if strings.ContainsAny(text, "<&") {
		if page, err := document.Parse(text, &url.URL{}); err == nil {
			text = page.Whole().Text()
		}
	}
	return strings.Join(strings.Fields(text), " ")
}

// place is the host and path of an address: what a result is called that has no title.
func place(address string) string {
	there, err := url.Parse(address)
	if err != nil {
		return address
	}
	return clipped(there.Host+strings.TrimSuffix(there.EscapedPath(), "/"), titleChars)
}

// listed writes the results with numbers, as many as fit.
func listed(req *abi.Request, query string, found []Result) abi.Result {
	data := &searchData{Query: query, Results: []Result{}}
	if len(found) == 0 {
		return abi.OK("[nothing was found]", data)
	}
	var out strings.Builder
	room := req.Call.OutputBytesMax - min(reserved, req.Call.OutputBytesMax/2) - abi.EscapedSize([]byte(query))
	for i, one := range found {
		lines := fmt.Sprintf("%d. %s\n   %s\n", i+1, cmp.Or(one.Title, place(one.URL)), one.URL)
		if one.Text != "" {
			lines += "   " + one.Text + "\n"
		}
		if room -= 2*abi.EscapedSize([]byte(lines)) + 64; room < 0 { // in the text and in the data
			break
		}
		out.WriteString(lines)
		data.Results = append(data.Results, one)
	}
	res := abi.OK(strings.TrimSuffix(out.String(), "\n"), data)
	if res.Truncated = len(data.Results) < len(found); res.Truncated {
		res.Content += fmt.Sprintf("\n[%d more have no room here]", len(found)-len(data.Results))
	}
	return res
}
