package browse

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/text/encoding/japanese"

	"capbox/toolbox/abi"
	"capbox/toolbox/web"
	"capbox/toolbox/web/loopback"
)

const png = "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00"

var article = "<title>The flood</title><nav><a href=/home>home</a></nav><main><h2>Monday</h2>" +
	strings.Repeat("<p>"+strings.Repeat("The river, which had been low all summer, rose within an hour. ", 6)+`<a href="/more">more</a></p>`, 4) +
	`<img src="https://evil.test/?d=1" alt="a bridge"></main><footer>` + strings.Repeat("imprint ", 300) + "</footer>"

// site has one page for each thing that a tool may meet.
func site(w http.ResponseWriter, r *http.Request) {
	kana, _ := japanese.ShiftJIS.NewEncoder().String("<p>日本語")
	pages := map[string][2]string{
		"/article": {"text/html; charset=utf-8", article},
		"/links":   {"text/html", `<p><a href="a">one</a> and <a href="/b">two</a>`},
		"/kana":    {"text/html; charset=shift_jis", kana},
		"/untyped": {"application/octet-stream", "<!DOCTYPE html><p>found <b>out</b>"},
		"/md":      {"text/markdown", "# T\n![x](https://evil.test/)"},
		"/plain":   {"text/plain", strings.Repeat("0123456789abcde\n", 100)},
		"/json":    {"application/json", `{"b":[1,2.50,{"c":"<&>"}],"a":null}`},
		"/deep":    {"application/json", strings.Repeat("[", 9000) + strings.Repeat("]", 9000)},
		"/bad":     {"application/json", `{"b":`},
		"/png":     {"image/png", png},
		"/liar":    {"text/plain", png + strings.Repeat("\x00", 100)},
		"/empty":   {"text/plain", ""},
		"/control": {"text/plain", strings.Repeat("\x1b[31m\"\\", 20_000)},
	}
	if page, ok := pages[r.URL.Path]; ok {
		w.Header().Set("Content-Type", page[0])
		_, _ = io.WriteString(w, page[1])
		return
	}
	switch r.URL.Path {
	case "/status":
		status, _ := strconv.Atoi(r.URL.RawQuery)
		w.Header()["Date"] = nil
		w.Header().Set("X-One", "1")
		w.WriteHeader(status)
	case "/moved":
		http.Redirect(w, r, "/links", http.StatusFound)
	case "/echo":
		body, _ := io.ReadAll(r.Body)
		raw, _ := json.Marshal(map[string]any{"method": r.Method, "body": string(body), "query": r.URL.RawQuery,
			"type": r.Header.Get("Content-Type"), "one": r.Header.Get("X-One"), "agent": r.Header.Get("User-Agent")})
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(raw)
	case "/gzip":
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Content-Type", "text/plain")
		packed := gzip.NewWriter(w)
		_, _ = io.WriteString(packed, "unpacked")
		_ = packed.Close()
	case "/broken":
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "half")
	case "/busy":
		w.Header().Set("Retry-After", "30")
		w.WriteHeader(http.StatusServiceUnavailable)
	case "/large":
		_, _ = w.Write(bytes.Repeat([]byte("line of a large file\n"), 1<<20))
	default:
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, "<title>x</title><h1>Not here</h1><p>Try "+strings.Repeat("elsewhere ", 1000))
	}
}

// opened serves the site, and refuses what lies below /refused.
func opened(t *testing.T) (url, root string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(site))
	t.Cleanup(server.Close)
	host := &loopback.Host{BodyBytesMax: 64 << 20, Refuse: func(url string) string {
		if strings.HasSuffix(url, "/refused") {
			return `fetch:"GET ` + url + `"`
		}
		return ""
	}}
	t.Cleanup(web.Use(host))
	t.Cleanup(func() {
		if host.Open() != 0 {
			t.Errorf("%d bodies are still open", host.Open())
		}
	})
	return server.URL, t.TempDir()
}

type args map[string]any

// call runs a tool and checks what holds for every result.
func call(t *testing.T, tool func(*abi.Request) abi.Result, root string, arguments args, settings string, outputBytesMax int) abi.Result {
	t.Helper()
	raw, err := json.Marshal(arguments)
	if err != nil {
		t.Fatal(err)
	}
	res := tool(&abi.Request{Tool: "test", Arguments: raw, Cwd: root, Settings: json.RawMessage(settings),
		Call: abi.Call{OutputBytesMax: outputBytesMax}})
	var out strings.Builder
	if err := abi.Write(&out, res); err != nil {
		t.Fatal(err)
	}
	if res.OK == (res.Error != nil) || out.Len() > outputBytesMax {
		t.Fatalf("%d bytes of JSON, %+v", out.Len(), res)
	}
	return res
}

func fetch(t *testing.T, root string, arguments args) abi.Result {
	t.Helper()
	return call(t, Fetch, root, arguments, "", 256<<10)
}

func TestFetchShowsEachKindAsAReaderWantsIt(t *testing.T) {
	server, root := opened(t)
	for _, c := range []struct {
		arguments args
		want      string
	}{
		{args{"url": "/links"}, "[one][1] and [two][2]\n\n[1]: SERVER/a\n[2]: SERVER/b"},
		{args{"url": "/moved"}, "[one][1] and [two][2]\n\n[1]: SERVER/a\n[2]: SERVER/b"},
		{args{"url": "/links", "format": "text"}, "one and two"},
		{args{"url": "/links", "format": "raw"}, `<p><a href="a">one</a> and <a href="/b">two</a>`},
		{args{"url": "/links", "selector": "a + a"}, "[two][1]\n\n[1]: SERVER/b"},
		{args{"url": "/kana"}, "日本語"},
		{args{"url": "/untyped"}, "found **out**"},
		{args{"url": "/md"}, "# T\n[image: x](https://evil.test/)"},
		{args{"url": "/md", "format": "raw"}, "# T\n![x](https://evil.test/)"},
		{args{"url": "/json"}, `{"b":[1,2.50,{"c":"<&>"}],"a":null}`},
		{args{"url": "/json", "format": "json"}, "{\n  \"b\": [\n    1,\n    2.50,\n    {\n      \"c\": \"<&>\"\n    }\n  ],\n  \"a\": null\n}"},
		{args{"url": "/gzip"}, "unpacked"},
		{args{"url": "/empty"}, "[200 OK, with an empty body]"},
		{args{"url": "/status?204"}, "[204 No Content]"},
		{args{"url": "/status?304"}, "[304 Not Modified]"},
		{args{"url": "/status?302"}, "[302 Found, without a Location]"},
		{args{"url": "/status?202"}, "[202 Accepted, with an empty body]"},
		{args{"url": "/status?204", "format": "json"}, "[204 No Content]"},
		{args{"url": "/status?200", "method": "head"}, "200 OK\nX-One: 1\n"},
		{args{"url": "/plain", "max_chars": 40}, "0123456789abcde\n0123456789abcde\n\n\n[1,568 characters more: offset=32]"},
		{args{"url": "/plain", "max_chars": 20, "offset": 1588}, "456789abcde\n"},
		{args{"url": "/plain", "offset": 5000}, "[offset 5000 is past the end: the text has 1,600 characters]"},
		{args{"url": "/echo", "method": "post", "body": `{"a":1}`, "headers": map[string]string{"X-One": "1"}},
			`{"agent":"capbox","body":"{\"a\":1}","method":"POST","one":"1","query":"","type":"application/json"}`},
		{args{"url": "/echo?q=a b", "method": "PUT", "body": "x"},
			`{"agent":"capbox","body":"x","method":"PUT","one":"","query":"q=a%20b","type":"text/plain; charset=utf-8"}`},
	} {
		c.arguments["url"] = server + c.arguments["url"].(string)
		res := fetch(t, root, c.arguments)
		if want := strings.ReplaceAll(c.want, "SERVER", server); !res.OK || res.Content != want {
			t.Errorf("%v: %q %+v\nwant %q", c.arguments, res.Content, res.Error, want)
		}
	}
}

func TestFetchTellsProgramsWhatCame(t *testing.T) {
	server, root := opened(t)
	res := fetch(t, root, args{"url": server + "/moved#part", "max_chars": 10})
	chars, next := 21, 10
	want := &fetchData{URL: server + "/links", Status: 200, ContentType: "text/html", Bytes: 47, Chars: &chars, Charset: "utf-8", NextOffset: &next}
	if !reflect.DeepEqual(res.Data, want) || res.Truncated {
		t.Errorf("%+v %v", res.Data, res.Truncated)
	}
	// The bound on the output cuts what a page that was asked for does not.
	if res = call(t, Fetch, root, args{"url": server + "/plain"}, "", 1200); !res.Truncated || res.Data.(*fetchData).NextOffset == nil {
		t.Errorf("%+v %v", res.Data, res.Truncated)
	}
	res = fetch(t, root, args{"url": server + "/status?200", "method": "HEAD"})
	if got := res.Data.(*fetchData).Headers; !reflect.DeepEqual(got, [][2]string{{"X-One", "1"}}) {
		t.Errorf("%+v", got)
	}
}

func TestFetchShowsTheArticleAndSaysIt(t *testing.T) {
	server, root := opened(t)
	res := fetch(t, root, args{"url": server + "/article"})
	for part, shown := range map[string]bool{
		"# The flood\n\n": true, "Monday": true, "[more][1]": true, "\n[1]: " + server + "/more": true, "[image: a bridge]": true,
		`[the main text alone; selector "body" shows all of the page]`: true, "imprint": false, "![": false, "evil.test": false,
	} {
		if strings.Contains(res.Content, part) != shown {
			t.Errorf("%q: %v in\n%s", part, !shown, res.Content)
		}
	}
	if whole := fetch(t, root, args{"url": server + "/article", "selector": "body"}); !strings.Contains(whole.Content, "imprint") {
		t.Error(whole.Content)
	}
}

func TestPagesOfATextJoinToTheWhole(t *testing.T) {
	server, root := opened(t)
	for path, bound := range map[string]int{"/plain": 2500, "/control": 8000, "/article": 3000} {
		whole := call(t, Fetch, root, args{"url": server + path, "max_chars": 1_000_000, "format": "raw"}, "", 1<<20).Content
		joined := ""
		for offset, calls := 0, 0; calls < 1000; calls++ {
			res := call(t, Fetch, root, args{"url": server + path, "offset": offset, "format": "raw"}, "", bound)
			text, _, _ := strings.Cut(res.Content, "\n\n[")
			joined += text
			next := res.Data.(*fetchData).NextOffset
			if next == nil {
				break
			}
			if *next <= offset {
				t.Fatalf("%s: offset %d is followed by %d", path, offset, *next)
			}
			offset = *next
		}
		if joined != whole {
			t.Errorf("%s: %d characters, of %d", path, len(joined), len(whole))
		}
	}
}

func TestFetchSavesWhatComesAndLeavesNothingElse(t *testing.T) {
	server, root := opened(t)
	if err := os.WriteFile(filepath.Join(root, "old"), []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string][2]string{
		"new/dir/a.png": {"/png", "saved new/dir/a.png: image/png, 29 bytes, from SERVER/png"},
		"old":           {"/moved", "replaced old: text/html, 47 bytes, from SERVER/links"},
		"large":         {"/large", "saved large: text/plain, 22,020,096 bytes, from SERVER/large"},
	} {
		res := fetch(t, root, args{"url": server + want[0], "save_to": path})
		info, err := os.Stat(filepath.Join(root, path))
		if !res.OK || res.Content != strings.ReplaceAll(want[1], "SERVER", server) || err != nil || res.Data.(*fetchData).Saved != path ||
			info.Size() != res.Data.(*fetchData).Bytes {
			t.Errorf("%s: %q %+v %v", path, res.Content, res.Error, err)
		}
	}
	if err := os.Mkdir(filepath.Join(root, "folder"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, c := range [][3]string{
		{"/broken", "half", "protocol"}, {"/nowhere", "missing", "http_status"}, {"/refused", "refused", "permission_denied"},
		{"/png", "folder", "is_directory"}, {"/png", "slash/", "is_directory"}, {"/png", "old/below", "not_a_directory"},
	} {
		if res := fetch(t, root, args{"url": server + c[0], "save_to": c[1]}); res.OK || res.Error.Code != c[2] {
			t.Errorf("%v: %+v %+v", c, res, res.Error)
		}
	}
	var left []string
	entries, _ := os.ReadDir(root)
	for _, entry := range entries {
		left = append(left, entry.Name())
	}
	if strings.Join(left, " ") != "folder large new old" {
		t.Error(left)
	}
}

func TestFetchSaysWhyItFailed(t *testing.T) {
	server, root := opened(t)
	for _, c := range []struct {
		arguments  args
		code, part string
	}{
		{args{"url": server + "/refused"}, "permission_denied", `(missing grant: fetch:"GET ` + server + `/refused")`},
		{args{"url": "http://name.invalid/"}, "dns", "name.invalid"},
		{args{"url": server + "/none"}, "http_status", "GET " + server + "/none: 404 Not Found: Not here Try elsewhere"},
		{args{"url": server + "/busy"}, "http_status", "503 Service Unavailable (Retry-After: 30)"},
		{args{"url": server + "/png"}, "binary", server + "/png is image/png (29 bytes), which is no text: give save_to"},
		{args{"url": server + "/liar"}, "binary", "PNG image (129 bytes)"},
		{args{"url": server + "/png", "format": "raw"}, "binary", "save_to"},
		{args{"url": server + "/large"}, "too_large", "save_to"},
		{args{"url": server + "/broken"}, "protocol", "body"},
		{args{"url": server + "/empty", "format": "json"}, "invalid_json", "unexpected end"},
		{args{"url": server + "/links", "headers": map[string]string{"Host": "b"}}, "invalid_arguments", "headers: Host is the host's to send"},
		{args{"url": server + "/links", "headers": map[string]string{"X_Forwarded-For": "::1"}}, "invalid_arguments", "headers: X_Forwarded-For"},
		{args{"url": server + "/bad", "format": "json"}, "invalid_json", "unexpected end of JSON input"},
		{args{"url": server + "/links", "format": "json"}, "invalid_json", "is no JSON (text/html)"},
		{args{"url": server + "/links", "selector": "p["}, "invalid_selector", ""},
		{args{"url": server + "/links", "selector": strings.Repeat("a", 2000)}, "invalid_arguments", "1,000"},
		{args{"url": server + "/links", "selector": "table"}, "no_match", "table"},
		{args{"url": server + "/plain", "selector": "p"}, "invalid_arguments", "not HTML"},
		{args{"url": "example.test"}, "invalid_arguments", "https://HOST/PATH"},
		{args{}, "invalid_arguments", "url"},
		{args{"url": server, "format": "pdf"}, "invalid_arguments", "markdown, text, raw, json"},
		{args{"url": server, "format": "raw", "selector": "p"}, "invalid_arguments", "selector"},
		{args{"url": server, "save_to": "x", "offset": 1}, "invalid_arguments", "save_to"},
		{args{"url": server, "max_chars": 0}, "invalid_arguments", "max_chars"},
		{args{"url": server, "offset": -1}, "invalid_arguments", "offset"},
		{args{"url": server, "depth": 1}, "invalid_arguments", "depth"},
	} {
		res := fetch(t, root, c.arguments)
		if res.OK || res.Error.Code != c.code || !strings.Contains(res.Error.Message, c.part) {
			t.Errorf("%v: %+v %+v, want %s %s", c.arguments, res, res.Error, c.code, c.part)
		}
		if res.Error != nil && len(res.Error.Message) > 2000 {
			t.Errorf("%v: the message has %d bytes", c.arguments, len(res.Error.Message))
		}
	}
}

func TestDeepJSONIsCheckedAndNotIndented(t *testing.T) {
	server, root := opened(t)
	res := fetch(t, root, args{"url": server + "/deep", "format": "json"})
	if !res.OK || !strings.HasPrefix(res.Content, "[[[[") || !strings.Contains(res.Content, "[too deep to be indented]") {
		t.Errorf("%.200s %+v", res.Content, res.Error)
	}
}
