package network

import (
	"regexp"
	"strings"
	"testing"
)

func TestWgetSavesWhatURLsLeadTo(t *testing.T) {
	w := newWorld(t)
	for _, c := range [][2]string{
		{"wget SERVER/plain", "plain=15"},
		{"wget -q BARE/plain", "plain=15"},
		{"wget -q SERVER/files/a.txt SERVER/files/b.txt", "a.txt=21 b.txt=21"},
		{"wget -q SERVER/files/a.txt SERVER/files/a.txt", "a.txt=21 a.txt.1=21"},
		{"wget -nc SERVER/files/a.txt SERVER/files/a.txt", "a.txt=21"},
		{"wget -q -O x SERVER/files/a.txt SERVER/files/b.txt", "x=42"},
		{"wget -q -P sub/dir SERVER/plain", "sub/dir/plain=15"},
		{"wget -q SERVER/plain?a/b", "plain?a%2Fb=15"},
		{"wget -q --content-disposition SERVER/named", "evil.txt=5"},
		{"wget -q SERVER/named", "named=5"},
		{"wget --spider SERVER/plain", ""},
	} {
		status, out, errors := w.run(c[0], "")
		if got := w.files(); status != 0 || out != "" || got != c[1] {
			t.Errorf("%s: %d %q %q %q, want %q", c[0], status, out, errors, got, c[1])
		}
	}
	w.write("list", w.place("SERVER/plain\nSERVER/files/a.txt\n"))
	if status, out, _ := w.run("wget -q -i list -O -", ""); status != 0 || out != "text of /plain\ntext of /files/a.txt\n" {
		t.Errorf("%d %q", status, out)
	}
}

// On the way to a file wget asks of no name but those that it will write: a look at another one is a denial on record.
func TestWgetToTheOutputLooksAtNoFile(t *testing.T) {
	w := newWorld(t)
	w.write("plain", "mine")
	if status, out, errors := w.run("wget -nc -qO- SERVER/plain", ""); status != 0 || out != "text of /plain\n" || errors != "" {
		t.Errorf("%d %q %q", status, out, errors)
	}
}

func TestWgetSendsWhatItsOptionsSay(t *testing.T) {
	const own = "\nAccept: */*\nUser-Agent: Wget/1 (capbox)"
	w := newWorld(t)
	for line, want := range map[string]string{
		"wget -qO- SERVER/echo":                                      "GET /echo" + own + "\n\n",
		"wget -qO- --header X-One:~1 -U me SERVER/echo":              "GET /echo\nAccept: */*\nUser-Agent: me\nX-One: 1\n\n",
		"wget -qO- --post-data a=1 SERVER/echo":                      "POST /echo\nAccept: */*\nContent-Type: application/x-www-form-urlencoded\nUser-Agent: Wget/1 (capbox)\n\na=1",
		"wget -qO- --method put --body-data x SERVER/echo":           "PUT /echo" + own + "\n\nx",
		"wget -qO- --user me --password p SERVER/away?to=/echo":      "GET /echo\nAccept: */*\nAuthorization: Basic bWU6cA==\nUser-Agent: Wget/1 (capbox)\n\n",
		"wget -qO- --user me --password p SERVER/away?to=OTHER/echo": "GET /echo" + own + "\n\n",
		"wget -qO- --post-data a=1 SERVER/to303":                     "GET /echo?redirected" + own + "\n\n",
	} {
		if status, out, errors := w.run(line, ""); status != 0 || out != want || errors != "" {
			t.Errorf("%s: %d %q %q\nwant %q", line, status, out, errors, want)
		}
	}
}

func TestWgetTellsOfItsWork(t *testing.T) {
	w := newWorld(t)
	stamp := regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`)
	for line, want := range map[string]string{
		"wget SERVER/plain": "--NOW--  SERVER/plain\nHTTP request sent, awaiting response... 200 OK\nLength: 15 [text/plain]\nSaving to: 'plain'\n\n" +
			"NOW - 'plain' saved [15/15]\n\n",
		"wget -nv SERVER/plain":       "NOW URL:SERVER/plain [15/15] -> \"plain\" [1]\n",
		"wget -q SERVER/plain":        "",
		"wget -q -S -O - SERVER/none": "  HTTP/1.1 404 Not Found\n  Content-Length: 9\n  Content-Type: text/plain; charset=utf-8\n",
	} {
		_, _, errors := w.run(line, "")
		if got := stamp.ReplaceAllString(errors, "NOW"); got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
		w.files()
	}
}

func TestWgetSaysWhyItFailed(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		line   string
		status int
		part   string
	}{
		{"wget", 2, "wget: missing URL"},
		{"wget --nonsense SERVER/plain", 2, "unrecognized option '--nonsense'"},
		{"wget -nx SERVER/plain", 2, "invalid option"},
		{"wget ftp://h.test/", 1, "Unsupported scheme 'ftp'"},
		{"wget -P none/\x00 SERVER/plain", 3, ""},
		{"wget --post-file none SERVER/echo", 3, "none: No such file or directory"},
		{"wget CLOSED/", 4, "wget: "},
		{"wget http://name.invalid/", 4, "unable to resolve host address"},
		{"wget SILENT/", 4, "in time"},
		{"wget -q SERVER/refused", 4, `Permission denied: no grant allows this request (missing grant: fetch:"GET SERVER/refused")`},
		{"wget SECURE/", 5, "certificate is not valid"},
		{"wget SERVER/login", 6, "ERROR 401: Unauthorized."},
		{"wget -O x SERVER/broken", 7, "body"},
		{"wget SERVER/none", 8, "ERROR 404: Not Found."},
		{"wget --spider SERVER/none", 8, "broken link"},
		{"wget SERVER/loop", 8, "20 redirections exceeded."},
		{"wget --max-redirect 0 SERVER/to", 8, "0 redirections exceeded."},
		{"wget --https-only SERVER/plain", 1, "--https-only"},
		{"wget -q CLOSED/ SERVER/none", 4, ""},
		{"wget --no-check-certificate SECURE/", 2, "wget: not supported: --no-check-certificate: certificates are always checked"},
		{"wget -r SERVER/plain", 2, "wget: not supported: -r"},
		{"wget -N SERVER/plain", 2, "wget: not supported: -N"},
		{"wget -c SERVER/plain", 2, "wget: not supported: -c"},
		{"wget --header Host:~h.test SERVER/plain", 2, "wget: not supported: --header"},
	} {
		status, _, errors := w.run(c.line, "")
		if status != c.status || !strings.Contains(errors, c.part) {
			t.Errorf("%s: %d %q, want %d %q", c.line, status, errors, c.status, c.part)
		}
		w.files()
	}
}
