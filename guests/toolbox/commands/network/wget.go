package network

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"capbox/toolbox/commands/kit"
	"capbox/toolbox/web"
)

var wgetSpec = kit.Spec{
	Short: "46A:B:D:EFHI:KLNO:P:Q:R:ST:U:X:a:bcdei:kl:mn:o:pqrt:vw:x",
	Long: "accept=A background=b body-data: body-file: ca-certificate: certificate: compression: connect-timeout: content-disposition " +
		"content-on-error continue=c convert-links=k cut-dirs: delete-after directory-prefix=P dns-timeout: header: https-only " +
		"inet4-only=4 inet6-only=6 input-file=i level=l limit-rate: load-cookies: max-redirect: method: mirror=m no-cache " +
		"no-check-certificate no-clobber no-dns-cache no-hsts no-proxy no-verbose output-document=O output-file=o page-requisites=p " +
		"password: post-data: post-file: private-key: progress: quiet=q quota=Q read-timeout: recursive=r referer: reject=R " +
		"retry-connrefused save-cookies: save-headers server-response=S show-progress spider timeout=T timestamping=N tries=t " +
		"trust-server-names user: user-agent=U verbose=v wait=w waitretry:",
	Usage:   "[OPTION]... URL...",
	Status:  2,
	Refused: append([]string{"no-check-certificate"}, wgetRefused...),
}

var wgetRefused = []string{
	"A", "B", "D", "E", "F", "H", "I", "K", "L", "N", "Q", "R", "X", "a", "b", "c", "k", "l", "m", "o", "p", "r", "w", "x", "ca-certificate", "certificate",
	"compression", "cut-dirs", "delete-after", "limit-rate", "load-cookies", "private-key", "save-cookies", "save-headers",
	"e", "d",
}

// wget's exit codes.
const (
	wgetUsage   = 2
	wgetFile    = 3
	wgetNetwork = 4
	wgetTLS     = 5
	wgetLogin   = 6
	wgetBroken  = 7
	wgetServer  = 8
)

// wgetRedirects is how many redirects are followed unless --max-redirect says otherwise.
const wgetRedirects = 20

// wget is one run of the command.
type wget struct {
	c         *kit.Call
	opts      *kit.Options
	urls      []string
	first     web.Request // without its URL
	redirects int
	kept      bool // -nc
	terse     bool // -nv
	begun     bool // whether the file of -O was
}

// Wget is the command wget.
func Wget(c *kit.Call) int {
	opts, status, done := c.Parse(wgetSpec)
	if done {
		return status
	}
	if status, refused := c.Refuse(opts, wgetRefused...); refused {
		return status
	}
	if opts.Has("no-check-certificate") {
		return c.Unsupported("--no-check-certificate: certificates are always checked, by the host")
	}
	w := &wget{c: c, opts: opts, redirects: wgetRedirects}
	if status, ok := w.prepare(); !ok {
		return status
	}
	for _, address := range w.urls {
		one := w.get(address)
		if status == 0 || one != 0 && one < status {
			status = one
		}
	}
	return status
}

// prepare reads the options; false is the end of the command with a status.
func (w *wget) prepare() (int, bool) {
	w.urls = w.opts.Operands
	w.kept, w.terse = w.opts.Has("no-clobber"), w.opts.Has("no-verbose")
	for _, one := range w.opts.List {
		switch {
		case one.Key == "n" && one.Value == "c":
			w.kept = true
		case one.Key == "n" && one.Value == "v":
			w.terse = true
		case one.Key == "n" && one.Value != "d" && one.Value != "H" && one.Value != "p":
			return w.c.Usage(wgetUsage, "invalid option -- 'n%s'", one.Value), false
		case one.Key == "i":
			raw, err := upload(w.c, one.Value)
			if err != nil {
				return w.fail(wgetFile, "%s: %s", one.Value, reason(err)), false
			}
			w.urls = append(w.urls, strings.Fields(string(raw))...)
		}
	}
	if len(w.urls) == 0 {
		return w.c.Usage(wgetUsage, "missing URL"), false
	}
	if text, given := w.opts.Value("max-redirect"); given {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return w.c.Usage(wgetUsage, "--max-redirect: Invalid number '%s'", text), false
		}
		w.redirects = n
	}
	if status, ok := w.prepareWaits(); !ok {
		return status, false
	}
	return w.prepareRequest()
}

// prepareWaits reads -T, which stands for each of the waits, and the options for one of them.
func (w *wget) prepareWaits() (int, bool) {
	w.first.Context = w.c.Context
	for _, one := range []struct {
		key  string
		sets []*time.Duration
	}{
		{"T", []*time.Duration{&w.first.Timeout, &w.first.ConnectTimeout}},
		{"read-timeout", []*time.Duration{&w.first.Timeout}},
		{"connect-timeout", []*time.Duration{&w.first.ConnectTimeout}},
		{"dns-timeout", nil}, // the host's bound
	} {
		text, given := w.opts.Value(one.key)
		if !given {
			continue
		}
		n, err := strconv.ParseFloat(text, 64)
		if err != nil || !(n >= 0 && n <= 1e6) {
			return w.c.Usage(wgetUsage, "%s: Invalid time period", text), false
		}
		for _, wait := range one.sets {
			*wait = time.Duration(n * float64(time.Second))
		}
	}
	return 0, true
}

// prepareRequest reads what is the same of every request.
func (w *wget) prepareRequest() (int, bool) {
	w.first.Method = "GET"
	if w.opts.Has("spider") {
		w.first.Method = "HEAD"
	}
	headers := [][2]string{{"User-Agent", "Wget/1 (capbox)"}, {"Accept", "*/*"}}
	add := func(name, value string) {
		for i, header := range headers {
			if strings.EqualFold(header[0], name) && usualHeaders[strings.ToLower(name)] {
				headers[i][1] = value
				return
			}
		}
		headers = append(headers, [2]string{name, value})
	}
	if user, given := w.opts.Value("user"); given {
		password, _ := w.opts.Value("password")
		add("Authorization", basic(user+":"+password))
	}
	for _, one := range w.opts.List {
		var err error
		switch one.Key {
		case "post-data", "body-data":
			w.first.Body, err = []byte(one.Value), nil
		case "post-file", "body-file":
			w.first.Body, err = upload(w.c, one.Value)
		case "U":
			add("User-Agent", one.Value)
		case "referer":
			add("Referer", one.Value)
		case "header":
			name, value, colon := strings.Cut(one.Value, ":")
			if problem := ofTheHost(name, strings.TrimSpace(value)); problem != nil || !colon {
				return w.c.Unsupported("--header '" + one.Value + "'"), false
			}
			if !droppedHeaders[strings.ToLower(name)] {
				add(strings.TrimSpace(name), strings.TrimSpace(value))
			}
		}
		if err != nil {
			return w.fail(wgetFile, "%s: %s", one.Value, reason(err)), false
		}
	}
	if w.opts.Has("post-data", "post-file") {
		w.first.Method = "POST"
		add("Content-Type", "application/x-www-form-urlencoded")
	}
	if method, given := w.opts.Value("method"); given {
		w.first.Method = strings.ToUpper(method)
	}
	w.first.Headers = headers
	return 0, true
}

// say prints what wget tells of its work; -q is silent and -nv nearly.
func (w *wget) say(format string, args ...any) {
	if !w.opts.Has("q") && !w.terse {
		fmt.Fprintf(w.c.Err(), format, args...)
	}
}

// fail prints what went wrong.
func (w *wget) fail(status int, format string, args ...any) int {
	if !w.opts.Has("q") && !web.Over(w.c.Context) { // a wget that is killed says nothing: who ended it does
		w.c.Fail(format, args...)
	}
	return status
}

const stamp = "2006-01-02 15:04:05"

func now() string { return time.Now().UTC().Format(stamp) }

// get fetches one URL and gives its status.
func (w *wget) get(text string) int {
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	address, err := web.Canonical(text)
	if err != nil {
		return w.fail(1, "%s: %s", text, err)
	}
	if address.Scheme != "http" && address.Scheme != "https" {
		return w.fail(1, "%s: Unsupported scheme '%s'", text, address.Scheme)
	}
	name := w.name(address)
	if w.kept && !w.opts.Has("O", "spider") {
		if _, err := w.c.Stat(name); err == nil {
			w.say("File '%s' already there; not retrieving.\n\n", name)
			return 0
		}
	}
	request := w.first
	if user := address.User; user != nil {
		password, _ := user.Password()
		request.Headers = append(request.Headers[:len(request.Headers):len(request.Headers)],
			[2]string{"Authorization", basic(user.Username() + ":" + password)})
		address.User = nil
	}
	request.URL = address.String()
	allowed := map[string]bool{"http": !w.opts.Has("https-only"), "https": true}
	exchange := &exchange{redirectsMax: w.redirects, allowed: allowed, method: asBrowsers, seen: w.seen}
	if w.redirects == 0 {
		exchange.redirectsMax = noRedirects
	}
	if !allowed[address.Scheme] {
		return w.fail(1, "%s: --https-only", text)
	}
	last, response, err := exchange.send(&request)
	if err != nil {
		return w.broken(last.URL, err)
	}
	defer response.Body.Close()
	return w.answer(last, response, name)
}

// seen tells of each request and its answer.
func (w *wget) seen(request *web.Request, response *web.Response) {
	w.say("--%s--  %s\n", now(), request.URL)
	if response == nil {
		return
	}
	w.say("HTTP request sent, awaiting response... %d %s\n", response.Status, response.Reason)
	if w.opts.Has("S") {
		for line := range strings.SplitSeq(strings.TrimSuffix(headText(response), "\r\n\r\n"), "\r\n") {
			fmt.Fprintf(w.c.Err(), "  %s\n", line)
		}
	}
}

// broken is the status of a request without an answer. A denial is told even with -q: nobody can ask for a grant that
// they do not know is missing.
func (w *wget) broken(address string, err error) int {
	var many tooMany
	var scheme foreign
	switch {
	case errors.As(err, &many):
		return w.fail(wgetServer, "%d redirections exceeded.", many.max)
	case errors.As(err, &scheme):
		return w.fail(1, "%s", err)
	}
	switch web.Code(err) {
	case web.Denied:
		w.c.Fail("%s: Permission denied: %s", address, err)
		return wgetNetwork
	case web.Limit:
		w.c.Fail("%s: %s", address, err)
		return wgetNetwork
	case web.DNS:
		return w.fail(wgetNetwork, "unable to resolve host address of %s: %s", address, err)
	case web.Timeout:
		return w.fail(wgetNetwork, "%s: Connection timed out: %s", address, err)
	case web.TLS:
		return w.fail(wgetTLS, "%s: %s", address, err)
	case web.Protocol, web.Encoding:
		return w.fail(wgetBroken, "%s: %s", address, err)
	case web.Invalid:
		return w.fail(1, "%s: %s", address, err)
	}
	return w.fail(wgetNetwork, "%s: %s", address, err)
}

// name is the file that a URL is saved to.
func (w *wget) name(address *url.URL) string {
	name := fileName(address.String())
	if name == "" {
		name = "index.html"
	}
	if address.RawQuery != "" {
		name += "?" + strings.ReplaceAll(address.RawQuery, "/", "%2F")
	}
	if dir, given := w.opts.Value("P"); given {
		name = path.Join(dir, name)
	}
	return name
}

// free is a name that no file has: wget counts up rather than overwrite.
func (w *wget) free(name string) string {
	for n, candidate := 0, name; ; candidate = fmt.Sprintf("%s.%d", name, n) {
		if _, err := w.c.Stat(candidate); err != nil {
			return candidate
		}
		n++
	}
}
