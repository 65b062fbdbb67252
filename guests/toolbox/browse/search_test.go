package browse

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"capbox/toolbox/web"
	"capbox/toolbox/web/loopback"
)

const hits = `{"web":{"results":[
	{"name":"One <b>bold</b> &amp; more","url":"https://one.test/a","about":{"text":"It <strong>is</strong>\n one."}},
	{"name":"no address","url":"javascript:alert(1)","about":{"text":"x"}},
	{"name":"Two","url":"http://two.test/","about":{}},
	{"name":null,"url":"https://three.test/"}]}}`

// engines answers as its path says, and with what it was asked in the header Asked.
func engines(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	w.Header().Set("Asked", fmt.Sprintf("%s %s %s %s", r.Method, r.URL.RawQuery, r.Header.Get("Content-Type"), body))
	answers := map[string]string{
		"/hits": hits, "/none": `{"web":{"results":[]}}`, "/absent": `{"web":{}}`, "/list": `[{"t":"a","u":"https://a.test/"}]`,
		"/html": "<html>captcha", "/text": `"text"`, "/wrong": `{"web":{"results":"x"}}`, "/error": `{"error":"key"}`,
		"/usual": `{"results":[{"title":"T","url":"https://a.test/","content":"c"}]}`,
		"/other": `{"web":{"results":[{"link":"https://a.test/"},5]}}`,
	}
	if answer, ok := answers[r.URL.Path]; ok {
		_, _ = io.WriteString(w, answer)
		return
	}
	if r.URL.Path == "/many" {
		many := []map[string]string{}
		for n := range 100 {
			many = append(many, map[string]string{"name": strings.Repeat("t", 1000), "url": fmt.Sprintf("https://h.test/%d", n), "about": "x"})
		}
		raw, _ := json.Marshal(map[string]any{"web": map[string]any{"results": many}})
		_, _ = w.Write(raw)
		return
	}
	w.WriteHeader(http.StatusUnauthorized)
	_, _ = io.WriteString(w, "no key")
}

// spying keeps the header Asked of the last response.
type spying struct {
	loopback.Host
	asked string
}

func (s *spying) Request(head, body []byte) (uint32, []byte, error) {
	handle, answer, err := s.Host.Request(head, body)
	var response web.Response
	if json.Unmarshal(answer, &response) == nil {
		s.asked = response.Header("Asked")
	}
	return handle, answer, err
}

func settings(server, path, more string) string {
	return `{"url":"` + server + path + `","results":"web.results","title":"name","link":"url","text":"about.text"` + more + `}`
}

func TestSearchListsWhatTheEngineFound(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(engines))
	defer server.Close()
	host := &spying{}
	t.Cleanup(web.Use(host))
	all := []Result{{"One bold & more", "https://one.test/a", "It is one."}, {"Two", "http://two.test/", ""}, {"", "https://three.test/", ""}}
	for _, c := range []struct {
		path, more string
		count      int
		want       []Result
		asked      string
	}{
		{"/hits?q={query}&n={count}", "", 8, all, "GET q=a+%26+%22b%22&n=8"},
		{"/hits", "", 2, all[:2], "GET"},
		{"/hits", `,"body":"{\"q\": \"{query}\"}"`, 3, all, `POST  application/json {"q": "a \u0026 \"b\""}`},
		{"/hits", `,"method":"put","body":"q={query}","headers":{"Content-Type":"a/b"}`, 3, all, "PUT  a/b q=a+%26+%22b%22"},
		{"/none", "", 3, []Result{}, "GET"},
	} {
		res := call(t, Search, "/", args{"query": `a & "b"`, "count": c.count}, settings(server.URL, c.path, c.more), 64<<10)
		if !res.OK || !reflect.DeepEqual(res.Data, &searchData{`a & "b"`, c.want}) || host.asked != c.asked {
			t.Errorf("%s: %+v %+v %q", c.path, res.Data, res.Error, host.asked)
		}
	}
	res := call(t, Search, "/", args{"query": "x"}, settings(server.URL, "/hits", ""), 64<<10)
	if want := "1. One bold & more\n   https://one.test/a\n   It is one.\n2. Two\n   http://two.test/\n3. three.test\n   https://three.test/"; res.Content != want {
		t.Errorf("%q", res.Content)
	}
	res = call(t, Search, "/", args{"query": "x"}, `{"url":"`+server.URL+`/usual","results":"results"}`, 64<<10)
	if want := "1. T\n   https://a.test/\n   c"; res.Content != want {
		t.Errorf("%q %+v", res.Content, res.Error)
	}
	if res = call(t, Search, "/", args{"query": "x", "count": 20}, settings(server.URL, "/many", ""), 4<<10); !res.OK || !res.Truncated {
		t.Errorf("%+v", res)
	}
}

func TestSearchSaysWhatIsWrong(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(engines))
	defer server.Close()
	t.Cleanup(web.Use(&loopback.Host{Refuse: func(url string) string {
		return map[bool]string{true: "fetch:GET"}[strings.HasSuffix(url, "/refused")]
	}}))
	for _, c := range []struct {
		arguments            args
		settings, code, part string
	}{
		{args{"query": "x"}, "", "not_configured", "config.toml, the table [search]"},
		{args{"query": "x"}, "null", "not_configured", "config.toml"},
		{args{"query": "x"}, `{"url":"https://h.test/"}`, "not_configured", "url and content if left out"},
		{args{"query": "x"}, `{"url":5}`, "not_configured", "wrong type"},
		{args{"query": "x"}, settings("no", "where", ""), "not_configured", "absolute"},
		{args{"query": " "}, settings(server.URL, "/hits", ""), "invalid_arguments", "empty"},
		{args{"query": strings.Repeat("x", 3000)}, settings(server.URL, "/hits", ""), "invalid_arguments", "2,000"},
		{args{"query": "x", "count": 0}, settings(server.URL, "/hits", ""), "invalid_arguments", "1 to 20"},
		{args{"query": "x", "count": 21}, settings(server.URL, "/hits", ""), "invalid_arguments", "1 to 20"},
		{args{"query": "x"}, settings(server.URL, "/html", ""), "invalid_answer", `begins with "<html>captcha"`},
		{args{"query": "x"}, settings(server.URL, "/text", ""), "invalid_answer", "no list at web.results"},
		{args{"query": "x"}, settings(server.URL, "/wrong", ""), "invalid_answer", "no list at web.results"},
		{args{"query": "x"}, settings(server.URL, "/error", ""), "invalid_answer", "no list at web.results"},
		{args{"query": "x"}, settings(server.URL, "/absent", ""), "invalid_answer", "no list at web.results, but web."},
		{args{"query": "x"}, `{"url":"` + server.URL + `/usual","results":"resluts"}`, "invalid_answer", "no list at resluts, but results."},
		{args{"query": "x"}, `{"url":"` + server.URL + `/usual","results":"results","title":"titel"}`, "invalid_answer",
			"none of the 1 results has a text at titel, where title says"},
		{args{"query": "x"}, settings(server.URL, "/hits", `,"headers":{"X-Forwarded-For":"::1"}`), "not_configured", "headers: X-Forwarded-For is the host's"},
		{args{"query": "x"}, settings(server.URL, "/list", ""), "invalid_answer", "no list at web.results"},
		{args{"query": "x"}, settings(server.URL, "/other", ""), "invalid_answer", "none of the 2 results has an address at url"},
		{args{"query": "x"}, settings(server.URL, "/key", ""), "http_status", "401 Unauthorized (the server refuses it, not the sandbox): no key"},
		{args{"query": "x"}, settings(server.URL, "/refused", ""), "permission_denied", "fetch:GET"},
	} {
		res := call(t, Search, "/", c.arguments, c.settings, 64<<10)
		if res.OK || res.Error.Code != c.code || !strings.Contains(res.Error.Message, c.part) {
			t.Errorf("%v %s: %+v, want %s %s", c.arguments, c.settings, res.Error, c.code, c.part)
		}
	}
}
