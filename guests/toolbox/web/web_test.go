package web_test

import (
	"compress/gzip"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"capbox/toolbox/web"
	"capbox/toolbox/web/loopback"
)

// pages is a server with one page for each way that a response can go.
func pages(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/echo":
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Method", r.Method)
		fmt.Fprintf(w, "%s %s %q %s", r.Header.Get("X-One"), r.Header.Get("Accept-Encoding"), body, r.URL.RawQuery)
	case "/gzip":
		w.Header().Set("Content-Encoding", "gzip")
		packed := gzip.NewWriter(w)
		_, _ = io.WriteString(packed, strings.Repeat("packed ", 1000))
		_ = packed.Close()
	case "/to":
		http.Redirect(w, r, "/to/2", http.StatusFound)
	case "/to/2":
		http.Redirect(w, r, "/echo?end", http.StatusMovedPermanently)
	case "/loop":
		http.Redirect(w, r, "/loop", http.StatusFound)
	case "/broken":
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "half")
	case "/large":
		_, _ = io.WriteString(w, strings.Repeat("x", 5000))
	}
}

func hosted(t *testing.T, host *loopback.Host) {
	t.Helper()
	t.Cleanup(web.Use(host))
	t.Cleanup(func() {
		if host.Open() != 0 {
			t.Errorf("%d bodies are still open", host.Open())
		}
	})
}

func TestAResponseHasHeadBodyAndTheWayThatWasTaken(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(pages))
	defer server.Close()
	hosted(t, &loopback.Host{})
	ask := func(request *web.Request) (*web.Response, string) {
		request.URL = server.URL + request.URL
		response, err := web.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response, string(body)
	}
	response, body := ask(&web.Request{Method: "PUT", URL: "/echo?a=b", Headers: [][2]string{{"X-One", "1"}}, Body: []byte("sent")})
	if body != `1 identity "sent" a=b` || response.Status != 200 || response.Reason != "OK" || response.Header("x-method") != "PUT" ||
		response.Header("none") != "" || *response.Length != int64(len(body)) {
		t.Errorf("%q %+v", body, response)
	}
	response, body = ask(&web.Request{Method: "GET", URL: "/gzip", Decode: true})
	if body != strings.Repeat("packed ", 1000) || response.Length != nil || response.Header("Content-Encoding") != "" {
		t.Errorf("%.20q %+v", body, response)
	}
	if _, body = ask(&web.Request{Method: "GET", URL: "/gzip"}); !strings.HasPrefix(body, "\x1f\x8b") {
		t.Errorf("%.20q", body)
	}
	response, body = ask(&web.Request{Method: "GET", URL: "/to", Redirects: 5})
	steps := []web.Redirect{{Status: 302, URL: server.URL + "/to/2"}, {Status: 301, URL: server.URL + "/echo?end"}}
	if body != ` identity "" end` || response.URL != steps[1].URL || !reflect.DeepEqual(response.Redirects, steps) {
		t.Errorf("%q %+v", body, response)
	}
	if response, _ = ask(&web.Request{Method: "GET", URL: "/to"}); response.Status != 302 || response.Header("Location") != "/to/2" {
		t.Errorf("%+v", response)
	}
}

func TestAnErrorCarriesTheCodeOfTheHost(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(pages))
	defer server.Close()
	secure := httptest.NewTLSServer(http.HandlerFunc(pages))
	defer secure.Close()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	closed := httptest.NewServer(nil)
	closed.Close()
	hosted(t, &loopback.Host{BodyBytesMax: 4000, Wait: 50 * time.Millisecond, Refuse: func(url string) string {
		if strings.HasSuffix(url, "/refused") {
			return `fetch:"GET ` + url + `"`
		}
		return ""
	}})
	for _, c := range []struct{ url, code, part string }{
		{server.URL + "/refused", web.Denied, `(missing grant: fetch:"GET ` + server.URL + `/refused")`},
		{"http://name.invalid/", web.DNS, "name.invalid"},
		{closed.URL, web.Connect, ""},
		{secure.URL, web.TLS, "certificate"},
		{"https" + strings.TrimPrefix(server.URL, "http"), web.TLS, ""},
		{"http://" + silent.Addr().String(), web.Timeout, ""},
		{server.URL + "/loop", web.Redirects, ""},
		{"no URL", web.Invalid, ""},
		{server.URL + "/broken", web.Protocol, "body"},
		{server.URL + "/large", web.TooLarge, ""},
	} {
		response, err := web.Do(&web.Request{Method: "GET", URL: c.url, Redirects: 5})
		if err == nil {
			_, err = io.ReadAll(response.Body)
			if again, same := response.Body.Read(make([]byte, 1)); again != 0 || same != err {
				t.Errorf("%s: after the end of the body: %d %v", c.url, again, same)
			}
			_ = response.Body.Close()
		}
		if web.Code(err) != c.code || !strings.Contains(err.Error(), c.part) {
			t.Errorf("%s: %q %v, want %s %s", c.url, web.Code(err), err, c.code, c.part)
		}
	}
}

func TestABodyThatIsClosedIsReadNoFurther(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(pages))
	defer server.Close()
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	hosted(t, &loopback.Host{Certificates: pool})
	response, err := web.Do(&web.Request{Method: "GET", URL: server.URL + "/large"})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := response.Body.Read(make([]byte, 10)); n != 10 || err != nil {
		t.Error(n, err)
	}
	if first, second := response.Body.Close(), response.Body.Close(); first != nil || second != nil {
		t.Error(first, second)
	}
	if n, err := response.Body.Read(make([]byte, 10)); n != 0 || err == nil {
		t.Error("a closed body was read")
	}
}

func TestWithoutAHostThereIsAnErrorAndNoCode(t *testing.T) {
	if _, err := web.Do(&web.Request{Method: "GET", URL: "http://127.0.0.1/"}); err == nil || web.Code(err) != "" {
		t.Error(err)
	}
}

// A host in another spelling is not put right here: the guest would make a granted host of one that is not.
func TestAURLKeepsItsHostAsItWasGiven(t *testing.T) {
	for text, want := range map[string]string{
		"https://Example.TEST":               "https://Example.TEST/",
		"HTTP://example.test:80/a b?q=ä ö#f": "http://example.test:80/a%20b?q=%C3%A4%20%C3%B6",
		"https://example.test.:443/%7e?":     "https://example.test.:443/%7e?",
		"https://bücher.test/ü":              "https://b%C3%BCcher.test/%C3%BC",
		"http://127.0.0.1:8080?x":            "http://127.0.0.1:8080/?x",
		"http://[::1]:81/":                   "http://[::1]:81/",
		"http://u:p@h.test/":                 "http://u:p@h.test/",
		" https://h.test/a?b={c}|%41 ":       "https://h.test/a?b=%7Bc%7D%7C%41",
		"ftp://h.test/":                      "ftp://h.test/",
	} {
		got, err := web.Canonical(text)
		if err != nil || got.String() != want {
			t.Errorf("%s: %v %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "example.test", "/path", "http://", "http://h.test:port/", "http://a b.test/", "https://%zz/", "mailto:a@b.test",
		"http://h.test/" + strings.Repeat("x", 8000), "http://h.test/\x01"} {
		if got, err := web.Canonical(text); err == nil {
			t.Errorf("%.40q is taken: %v", text, got)
		}
	}
}
