package network

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"capbox/toolbox/commands/kit"
	"capbox/toolbox/web"
	"capbox/toolbox/web/loopback"
)

// flaky counts the requests for a page that serves every second one.
var flaky atomic.Int64

// site answers as its paths say.
func site(w http.ResponseWriter, r *http.Request) {
	w.Header()["Date"] = nil
	switch r.URL.Path {
	case "/plain", "/files/a.txt", "/files/b.txt":
		w.Header().Set("Content-Type", "text/plain")
		fmt.Fprintf(w, "text of %s\n", r.URL.Path)
	case "/echo":
		echo(w, r)
	case "/to", "/to307", "/to303":
		status := map[string]int{"/to": 302, "/to307": 307, "/to303": 303}[r.URL.Path]
		http.Redirect(w, r, "/echo?redirected", status)
	case "/away":
		http.Redirect(w, r, r.URL.Query().Get("to"), http.StatusFound)
	case "/loop":
		http.Redirect(w, r, "/loop", http.StatusFound)
	case "/gzip":
		w.Header().Set("Content-Type", "text/plain")
		if r.Header.Get("Accept-Encoding") != "gzip" {
			_, _ = io.WriteString(w, "plain")
			return
		}
		w.Header().Set("Content-Encoding", "gzip")
		packed := gzip.NewWriter(w)
		_, _ = io.WriteString(packed, "unpacked")
		_ = packed.Close()
	case "/named":
		w.Header().Set("Content-Disposition", `attachment; filename="../../etc/evil.txt"`)
		_, _ = io.WriteString(w, "named")
	case "/broken":
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "half")
	case "/large":
		_, _ = w.Write(bytes.Repeat([]byte("x"), 1<<20))
	case "/flaky":
		if flaky.Add(1)%2 == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, "at last")
	case "/login":
		w.WriteHeader(http.StatusUnauthorized)
	default:
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, "not here\n")
	}
}

// echo answers with the request: method, target, headers in order of their names, and body.
func echo(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	lines := []string{r.Method + " " + r.URL.RequestURI()}
	for name, values := range r.Header {
		if name != "Accept-Encoding" && name != "Connection" && name != "Content-Length" {
			lines = append(lines, name+": "+strings.Join(values, " | "))
		}
	}
	sort.Strings(lines[1:])
	w.Header().Set("Content-Type", "text/plain")
	fmt.Fprintf(w, "%s\n\n%s", strings.Join(lines, "\n"), body)
}

// world is a server, its addresses and a directory.
type world struct {
	t                                     *testing.T
	dir                                   string
	server, other, secure, closed, silent string
	host                                  *loopback.Host
	context                               context.Context
}

func newWorld(t *testing.T) *world {
	t.Helper()
	plain, other, secure := httptest.NewServer(http.HandlerFunc(site)), httptest.NewServer(http.HandlerFunc(site)), httptest.NewTLSServer(http.HandlerFunc(site))
	closed := httptest.NewServer(nil)
	closed.Close()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { plain.Close(); other.Close(); secure.Close(); silent.Close() })
	host := &loopback.Host{BodyBytesMax: 500_000, Certificates: x509.NewCertPool(), Wait: 100 * time.Millisecond, Refuse: func(url string) string {
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
	return &world{t, t.TempDir(), plain.URL, other.URL, secure.URL, closed.URL, "http://" + silent.Addr().String(), host, context.Background()}
}

// place puts the addresses into a text, and take takes them out.
func (w *world) place(text string) string {
	return strings.NewReplacer("SERVER", w.server, "BARE", strings.TrimPrefix(w.server, "http://"), "OTHER", w.other, "SECURE", w.secure,
		"CLOSED", w.closed, "SILENT", w.silent).Replace(text)
}

func (w *world) take(text string) string {
	return strings.NewReplacer(w.server, "SERVER", strings.TrimPrefix(w.server, "http://"), "BARE", w.other, "OTHER", w.secure, "SECURE",
		w.closed, "CLOSED", w.silent, "SILENT").Replace(text)
}

// run runs one command line; words are separated by blanks, and ~ stands for one within a word.
func (w *world) run(line, stdin string) (status int, stdout, stderr string) {
	w.t.Helper()
	words := strings.Fields(w.place(line))
	for i, word := range words {
		words[i] = strings.ReplaceAll(word, "~", " ")
	}
	var out, err bytes.Buffer
	c := kit.New(w.context, words, kit.Streams{In: strings.NewReader(stdin), Out: &out, Err: &err})
	c.Dir = w.dir
	command := Curl
	if words[0] == "wget" {
		command = Wget
	}
	status = kit.Invoke(command, c)
	return status, w.take(out.String()), w.take(err.String())
}

// files is what the directory holds: names and sizes.
func (w *world) files() string {
	var all []string
	_ = filepath.WalkDir(w.dir, func(path string, entry os.DirEntry, _ error) error {
		if !entry.IsDir() {
			raw, _ := os.ReadFile(path)
			all = append(all, fmt.Sprintf("%s=%d", strings.TrimPrefix(path, w.dir+"/"), len(raw)))
			_ = os.Remove(path)
		}
		return nil
	})
	return strings.Join(all, " ")
}

func (w *world) write(name, content string) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(content), 0o644); err != nil {
		w.t.Fatal(err)
	}
}
