package network

import (
	"regexp"
	"strings"
	"testing"
)

const (
	asked = "\nAccept: */*\nUser-Agent: curl/8 (capbox)"
	typed = "\nAccept: */*\nContent-Type: application/x-www-form-urlencoded\nUser-Agent: curl/8 (capbox)"
)

func TestCurlSendsWhatItsOptionsSay(t *testing.T) {
	w := newWorld(t)
	w.write("data", "two\r\nlines")
	w.write("heads", "X-One: 1\nX-Two: 2\n")
	w.write("jar", "# Netscape HTTP Cookie File\n#HttpOnly_127.0.0.1\tFALSE\t/\tFALSE\t0\ta\t1\n.test\tTRUE\t/\tFALSE\t0\tb\t2\n"+
		"127.0.0.1\tFALSE\t/deep\tFALSE\t0\tc\t3\n127.0.0.1\tFALSE\t/\tTRUE\t0\td\t4\n")
	for line, want := range map[string]string{
		"curl SERVER/echo":                                                 "GET /echo" + asked + "\n\n",
		"curl BARE/echo":                                                   "GET /echo" + asked + "\n\n",
		"curl HTTP://BARE/echo?a=b#c":                                      "GET /echo?a=b" + asked + "\n\n",
		"curl -s -X DELETE SERVER/echo":                                    "DELETE /echo" + asked + "\n\n",
		"curl -H X-One:1 -H X-One:~2 SERVER/echo":                          "GET /echo\nAccept: */*\nUser-Agent: curl/8 (capbox)\nX-One: 1 | 2\n\n",
		"curl -H Accept: -A me SERVER/echo":                                "GET /echo\nUser-Agent: me\n\n",
		"curl -H Accept:~text/html -H User-Agent: SERVER/echo":             "GET /echo\nAccept: text/html\n\n",
		"curl -H X-Empty; -H nonsense SERVER/echo":                         "GET /echo\nAccept: */*\nUser-Agent: curl/8 (capbox)\nX-Empty: \n\n",
		"curl -H @heads -H Expect: SERVER/echo":                            "GET /echo\nAccept: */*\nUser-Agent: curl/8 (capbox)\nX-One: 1\nX-Two: 2\n\n",
		"curl -e http://from.test/;auto -r 0-5 SERVER/echo":                "GET /echo\nAccept: */*\nRange: bytes=0-5\nReferer: http://from.test/\nUser-Agent: curl/8 (capbox)\n\n",
		"curl -u me:pass SERVER/echo":                                      "GET /echo\nAccept: */*\nAuthorization: Basic bWU6cGFzcw==\nUser-Agent: curl/8 (capbox)\n\n",
		"curl http://me:pass@BARE/echo":                                    "GET /echo\nAccept: */*\nAuthorization: Basic bWU6cGFzcw==\nUser-Agent: curl/8 (capbox)\n\n",
		"curl --oauth2-bearer token SERVER/echo":                           "GET /echo\nAccept: */*\nAuthorization: Bearer token\nUser-Agent: curl/8 (capbox)\n\n",
		"curl -b a=1;b=2 -b c=3 SERVER/echo":                               "GET /echo\nAccept: */*\nCookie: a=1;b=2; c=3\nUser-Agent: curl/8 (capbox)\n\n",
		"curl -b jar SERVER/echo":                                          "GET /echo\nAccept: */*\nCookie: a=1\nUser-Agent: curl/8 (capbox)\n\n",
		"curl -d a=1 -d b=~2 SERVER/echo":                                  "POST /echo" + typed + "\n\na=1&b= 2",
		"curl -d @data SERVER/echo":                                        "POST /echo" + typed + "\n\ntwolines",
		"curl --data-binary @data SERVER/echo":                             "POST /echo" + typed + "\n\ntwo\r\nlines",
		"curl --data-binary @- SERVER/echo":                                "POST /echo" + typed + "\n\nfrom stdin",
		"curl --data-raw @data SERVER/echo":                                "POST /echo" + typed + "\n\n@data",
		"curl --data-urlencode a=b~&c --data-urlencode x@data SERVER/echo": "POST /echo" + typed + "\n\na=b+%26c&x=two%0D%0Alines",
		"curl -G -d a=1 --data-urlencode b=ü SERVER/echo?z":                "GET /echo?z&a=1&b=%C3%BC" + asked + "\n\n",
		"curl --url-query a=b~c SERVER/echo":                               "GET /echo?a=b+c" + asked + "\n\n",
		"curl -X PUT -d x -H Content-Type:~a/b SERVER/echo":                "PUT /echo\nAccept: */*\nContent-Type: a/b\nUser-Agent: curl/8 (capbox)\n\nx",
		`curl --json {"a":1} SERVER/echo`:                                  "POST /echo\nAccept: application/json\nContent-Type: application/json\nUser-Agent: curl/8 (capbox)\n\n{\"a\":1}",
		"curl -T data SERVER/echo":                                         "PUT /echo" + asked + "\n\ntwo\r\nlines",
		"curl -L SERVER/to":                                                "GET /echo?redirected" + asked + "\n\n",
		"curl -L -d x SERVER/to":                                           "GET /echo?redirected" + asked + "\n\n",
		"curl -L -d x --post302 SERVER/to":                                 "POST /echo?redirected" + typed + "\n\nx",
		"curl -L -d x SERVER/to307":                                        "POST /echo?redirected" + typed + "\n\nx",
		"curl -L -X PUT -d x SERVER/to":                                    "PUT /echo?redirected" + typed + "\n\nx",
		"curl -L -u me:p -b a=1 SERVER/away?to=/echo":                      "GET /echo\nAccept: */*\nAuthorization: Basic bWU6cA==\nCookie: a=1\nUser-Agent: curl/8 (capbox)\n\n",
		"curl -L -u me:p -b a=1 SERVER/away?to=OTHER/echo":                 "GET /echo" + asked + "\n\n",
		"curl --proto =http,https --tlsv1.2 -sSfL SERVER/echo":             "GET /echo" + asked + "\n\n",
		"curl --compressed SERVER/gzip":                                    "unpacked",
		"curl SERVER/gzip":                                                 "plain",
		"curl -g SERVER/echo?a={b}[c]":                                     "GET /echo?a=%7Bb%7D[c]" + asked + "\n\n",
		"curl SERVER/plain SERVER/files/a.txt":                             "text of /plain\ntext of /files/a.txt\n",
		"curl SERVER/none":                                                 "not here\n",
	} {
		if status, out, errors := w.run(line, "from stdin"); status != 0 || out != want || errors != "" {
			t.Errorf("%s: %d %q %q\nwant %q", line, status, out, errors, want)
		}
	}
}

func TestCurlSendsForms(t *testing.T) {
	w := newWorld(t)
	w.write("data.json", "{}")
	status, out, errors := w.run(`curl -F a=b;type=text/x -F f=@data.json -F g=@data.json;filename=n"x.bin -F h=<data.json --form-string i=@j SERVER/echo`, "")
	boundary := regexp.MustCompile(`boundary=(-{24}[0-9A-Za-z]{22})\n`).FindStringSubmatch(out)
	if status != 0 || errors != "" || boundary == nil {
		t.Fatalf("%d %q %q", status, out, errors)
	}
	_, body, _ := strings.Cut(out, "\n\n")
	want := "--B\r\nContent-Disposition: form-data; name=\"a\"\r\nContent-Type: text/x\r\n\r\nb\r\n" +
		"--B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"data.json\"\r\nContent-Type: application/json\r\n\r\n{}\r\n" +
		"--B\r\nContent-Disposition: form-data; name=\"g\"; filename=\"n%22x.bin\"\r\nContent-Type: application/octet-stream\r\n\r\n{}\r\n" +
		"--B\r\nContent-Disposition: form-data; name=\"h\"\r\n\r\n{}\r\n" +
		"--B\r\nContent-Disposition: form-data; name=\"i\"\r\n\r\n@j\r\n--B--\r\n"
	if got := strings.ReplaceAll(body, boundary[1], "B"); got != want {
		t.Errorf("%q\nwant\n%q", got, want)
	}
}

func TestCurlShowsHeadsAndWhatWasDone(t *testing.T) {
	w := newWorld(t)
	moved := "HTTP/1.1 302 Found\r\nContent-Type: text/html; charset=utf-8\r\nLocation: /echo?redirected\r\n\r\n"
	head := "HTTP/1.1 200 OK\r\nContent-Length: 15\r\nContent-Type: text/plain\r\n\r\n"
	for _, c := range [][3]string{
		{"curl -i SERVER/plain", head + "text of /plain\n", ""},
		{"curl -I SERVER/plain", head, ""},
		{"curl -I SERVER/to", moved, ""},
		{"curl -D - -o /dev/null SERVER/plain", head, ""},
		{"curl -v SERVER/plain", "text of /plain\n", "> GET /plain HTTP/1.1\n> Host: BARE\n> User-Agent: curl/8 (capbox)\n> Accept: */*\n>\n" +
			"< HTTP/1.1 200 OK\n< Content-Length: 15\n< Content-Type: text/plain\n<\n"},
		{`curl -s -o /dev/null -w %{http_code}\n SERVER/none`, "404\n", ""},
		{`curl -s -o /dev/null -w %{response_code}|%{size_download}|%{content_type}|%{num_redirects}|%{url_effective}|%{method}|%{scheme}|%%|\t|%{exitcode}|%{errormsg}| SERVER/plain`,
			"200|15|text/plain|0|SERVER/plain|GET|HTTP|%|\t|0||", ""},
		{"curl -s -o /dev/null -L -w %{num_redirects}|%{url_effective}|%{redirect_url}|%{url} SERVER/to", "1|SERVER/echo?redirected||SERVER/to", ""},
		{"curl -s -o /dev/null -w %{num_redirects}|%{redirect_url}|%{header{location}} SERVER/to", "0|SERVER/echo?redirected|/echo?redirected", ""},
		{"curl -s -o /dev/null -w %{stderr}%{http_code}%{onerror}x SERVER/plain", "", "200"},
		{"curl -s -o /dev/null -w %{header_json} SERVER/plain", "{\n\"content-length\": [\n\"15\"\n],\n\"content-type\": [\n\"text/plain\"\n]\n}", ""},
	} {
		if status, out, errors := w.run(c[0], ""); status != 0 || out != c[1] || errors != c[2] {
			t.Errorf("%s: %d %q %q\nwant %q %q", c[0], status, out, errors, c[1], c[2])
		}
	}
	if _, out, _ := w.run("curl -s -o /dev/null -w %{time_total}~%{time_starttransfer}~%{remote_ip}~%{speed_download} SERVER/plain", ""); !regexp.MustCompile(
		`^0\.\d{6} 0\.\d{6} 127\.0\.0\.1 \d+$`).MatchString(out) {
		t.Error(out)
	}
	if _, out, _ := w.run("curl -s -o /dev/null -w %{json} SERVER/plain", ""); !strings.Contains(out, `"http_code":200,"http_version":"1.1","method":"GET"`) {
		t.Error(out)
	}
}

func TestCurlWritesFiles(t *testing.T) {
	w := newWorld(t)
	for line, want := range map[string]string{
		"curl -o x SERVER/plain":                                       "x=15",
		"curl -o x SERVER/plain -o y SERVER/files/a.txt":               "x=15 y=21",
		"curl -O SERVER/files/a.txt -O SERVER/files/b.txt":             "a.txt=21 b.txt=21",
		"curl --remote-name-all SERVER/files/a.txt SERVER/files/b.txt": "a.txt=21 b.txt=21",
		"curl -O SERVER/files/a.txt?query=/deep":                       "a.txt=21",
		"curl -OJ SERVER/named":                                        "evil.txt=5",
		"curl -O --output-dir sub --create-dirs SERVER/plain":          "sub/plain=15",
		"curl -i -o x SERVER/plain":                                    "x=80",
		"curl -D heads -o x SERVER/plain":                              "heads=65 x=15",
		"curl -D heads -o x SERVER/plain -o y SERVER/plain":            "heads=130 x=15 y=15",
		"curl -sf -o x SERVER/none":                                    "",
		"curl -s --fail-with-body -o x SERVER/none":                    "x=9",
		"curl -s -o x SERVER/broken":                                   "x=4",
		"curl -s --remove-on-error -o x SERVER/broken":                 "",
		"curl -s -o x SERVER/refused":                                  "",
	} {
		w.run(line, "")
		if got := w.files(); got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
	w.write("evil.txt", "mine")
	if status, _, errors := w.run("curl -OJ SERVER/named", ""); status != 23 || !strings.Contains(errors, "File exists") || w.files() != "evil.txt=4" {
		t.Error(status, errors)
	}
}

func TestCurlSaysWhyItFailed(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		line   string
		status int
		part   string
	}{
		{"curl", 2, "curl: no URL specified"},
		{"curl http://", 3, "curl: (3) "},
		{"curl http://a~b/", 3, "curl: (3) "},
		{"curl http://h.test:port/", 3, "curl: (3) "},
		{"curl SERVER/{a,b}", 2, "curl: not supported: lists and ranges"},
		{"curl ftp://h.test/", 1, `curl: (1) Protocol "ftp" not supported`},
		{"curl file:///etc/passwd", 1, `curl: (1) Protocol "file" not supported`},
		{"curl --proto =https SERVER/plain", 1, `curl: (1) Protocol "http" not supported or disabled`},
		{"curl -L SERVER/away?to=file:///etc/passwd", 1, `curl: (1) Protocol "file" not supported`},
		{"curl -L --proto-redir =https SERVER/to", 1, `curl: (1) Protocol "http" not supported`},
		{"curl http://name.invalid/", 6, "curl: (6) Could not resolve host: name.invalid"},
		{"curl CLOSED/", 7, "curl: (7) Failed to connect to 127.0.0.1 port"},
		{"curl SERVER/refused", 7, `curl: (7) SERVER/refused: Permission denied: no grant allows this request (missing grant: fetch:"GET SERVER/refused")`},
		{"curl -s SERVER/refused", 7, "missing grant"},
		{"curl -L SERVER/away?to=/refused", 7, "missing grant"},
		{"curl -f SERVER/none", 22, "curl: (22) The requested URL returned error: 404\n"},
		{"curl --fail-with-body SERVER/none", 22, "curl: (22) The requested URL returned error: 404\n"},
		{"curl -fsS SERVER/none", 22, "curl: (22)"},
		{"curl -fs SERVER/none", 22, ""},
		{"curl -o dir/none SERVER/plain", 23, "curl: (23) Failed to open the file dir/none: No such file or directory"},
		{"curl -O SERVER/", 23, "curl: (23) Remote file name has no length!"},
		{"curl -d @none SERVER/echo", 26, "curl: (26) Failed to open none: No such file or directory"},
		{"curl -T none SERVER/echo", 26, "curl: (26) Can't open 'none'"},
		{"curl SILENT/", 28, "curl: (28) Operation timed out"},
		{"curl -L SERVER/loop", 47, "curl: (47) Maximum (50) redirects followed"},
		{"curl -L --max-redirs 3 SERVER/loop", 47, "curl: (47) Maximum (3) redirects followed"},
		{"curl -L --max-redirs 0 SERVER/to", 47, "curl: (47) Maximum (0) redirects followed"},
		{"curl SECURE/", 60, "curl: (60) SSL problem: the certificate is not valid"},
		{"curl -o x SERVER/large", 63, "curl: (63) Maximum file size exceeded"},
		{"curl --max-filesize 1k -o x SERVER/large", 63, "curl: (63) Maximum file size exceeded"},
		{"curl -o x SERVER/broken", 18, "curl: (18) transfer closed"},
		{"curl -k SECURE/", 2, "curl: not supported: -k: certificates are always checked"},
		{"curl --insecure SECURE/", 2, "not supported: -k"},
		{"curl -x http://p.test SERVER/plain", 2, "curl: not supported: -x"},
		{"curl -C - SERVER/plain", 2, "curl: not supported: -C"},
		{"curl -c jar SERVER/plain", 2, "curl: not supported: -c"},
		{"curl --resolve h:80:127.0.0.1 SERVER/plain", 2, "curl: not supported: --resolve"},
		{"curl --next SERVER/plain", 2, "curl: not supported: --next"},
		{"curl -H Host:~other.test SERVER/plain", 2, "not supported: -H 'Host: ...'"},
		{"curl -H Accept-Encoding:~br SERVER/plain", 2, "use --compressed"},
		{"curl -w %{time_connect} SERVER/plain", 2, "not supported: -w %{time_connect}"},
		{"curl -u me SERVER/plain", 2, "USER:PASSWORD"},
		{"curl -d a -F b=c SERVER/echo", 2, "only one"},
		{"curl -m soon SERVER/plain", 2, "soon"},
		{"curl --nonsense SERVER/plain", 2, "unrecognized option '--nonsense'"},
	} {
		status, _, errors := w.run(c.line, "")
		if status != c.status || !strings.Contains(errors, c.part) || c.part == "" && errors != "" {
			t.Errorf("%s: %d %q, want %d %q", c.line, status, errors, c.status, c.part)
		}
		w.files()
	}
}

func TestTheStatusOfCurlIsThatOfTheLastURL(t *testing.T) {
	w := newWorld(t)
	for line, want := range map[string]int{
		"curl -s CLOSED SERVER/plain": 0, "curl -s SERVER/plain CLOSED": 7, "curl -s --fail-early CLOSED SERVER/plain": 7,
	} {
		if status, _, _ := w.run(line, ""); status != want {
			t.Errorf("%s: %d, want %d", line, status, want)
		}
	}
}

func TestCurlTriesAgainWhatMayPass(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		line, out, told string
		status          int
	}{
		{"curl --retry 2 --retry-delay 0.001 SERVER/flaky", "at last", "2 retries left", 0},
		{"curl -sf --retry 2 --retry-delay 0.001 SERVER/flaky", "at last", "", 0},
		{"curl -s -w %{http_code} SERVER/flaky", "503", "", 0},
		{"curl --retry 1 --retry-delay 0.001 SERVER/refused", "", "missing grant", 7},
		{"curl -f --retry 1 --retry-delay 0.001 SERVER/none", "", "404", 22},
		{"curl --retry 1 --retry-delay 0.001 --retry-connrefused CLOSED/", "", "1 retries left", 7},
	} {
		flaky.Store(0)
		status, out, errors := w.run(c.line, "")
		if again := strings.Contains(errors, "Warning"); status != c.status || out != c.out || !strings.Contains(errors, c.told) ||
			again != strings.Contains(c.told, "left") {
			t.Errorf("%s: %d %q %q", c.line, status, out, errors)
		}
	}
}

func TestTheTimeOfCurlEndsABody(t *testing.T) {
	w := newWorld(t)
	if status, _, errors := w.run("curl -m 0.000000001 -o x SERVER/plain", ""); status != 28 || !strings.Contains(errors, "curl: (28) Operation timed out") {
		t.Errorf("%d %q", status, errors)
	}
	if status, out, errors := w.run("curl -m 60 --connect-timeout 5 SERVER/plain", ""); status != 0 || out != "text of /plain\n" {
		t.Errorf("%d %q %q", status, out, errors)
	}
}
