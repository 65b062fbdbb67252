package network

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"capbox/toolbox/commands/kit"
	"capbox/toolbox/web"
)

// Curl is the command curl.
func Curl(c *kit.Call) int {
	opts, status, done := c.Parse(curlSpec)
	if done {
		return status
	}
	switch {
	case opts.Has("h"):
		c.Out.WriteString(c.Help(curlSpec.Usage, "Use --help for the flags.\n"))
		return 0
	case opts.Has("V"):
		c.Out.WriteString(c.Version())
		return 0
	}
	if status, refused := c.Refuse(opts, curlRefused...); refused {
		return status
	}
	if opts.Has("k") {
		return c.Unsupported("-k: certificates are always checked, by the host")
	}
	if opts.Has("x", "U", "p", "socks5", "preproxy") {
		return c.Unsupported("-x: a request goes where it was granted to go")
	}
	run := &curl{c: c, opts: opts}
	if problem := run.prepare(); problem != nil {
		return run.report(*problem)
	}
	for i, address := range run.urls {
		problem := run.withRetries(address, i)
		status = 0
		if problem != nil {
			status = run.report(*problem)
			if opts.Has("fail-early") {
				return status
			}
		}
	}
	return status
}

// problem is why a transfer failed: curl's number and words.
type problem struct {
	code   int
	text   string
	denied bool
}

func failing(code int, format string, args ...any) *problem {
	return &problem{code: code, text: fmt.Sprintf(format, args...)}
}

// curlUsage is the number of what is wrong with the command line.
const curlUsage = 2

// curl is one run of the command.
type curl struct {
	c        *kit.Call
	opts     *kit.Options
	urls     []string
	outputs  []string // of -o and -O, in their order; "" is the URL's own name
	headers  [][2]string
	body     []byte
	hasBody  bool
	maxTime  time.Duration
	connect  time.Duration
	maxBytes int64
	retries  int
	delay    time.Duration
	format   string // of -w
	redirect int
	first    map[string]bool // protocols that a URL may have
	later    map[string]bool // and one that a redirect leads to
	dumped   map[string]bool // files of -D that were begun
}

// report says what went wrong, unless it is to be silent. A denial, and a bound of the call that was met, is always
// told: nobody can ask for a grant that they do not know is missing.
func (r *curl) report(p problem) int {
	if p.code == curlUsage {
		return r.c.Usage(curlUsage, "%s", p.text)
	}
	if web.Over(r.c.Context) {
		return p.code // as if it were killed: who ended it says so
	}
	if !r.opts.Has("s") || r.opts.Has("S") || p.denied {
		fmt.Fprintf(r.c.Err(), "curl: (%d) %s\n", p.code, p.text)
	}
	return p.code
}

// failure is an error of an exchange in curl's numbers.
func failure(err error, address string) *problem {
	var many tooMany
	var scheme foreign
	switch {
	case errors.As(err, &many):
		return failing(47, "%s", err)
	case errors.As(err, &scheme):
		return failing(1, "%s", err)
	}
	host, port := address, "443"
	if parsed, err := url.Parse(address); err == nil {
		host = parsed.Hostname()
		if port = parsed.Port(); port == "" {
			port = map[string]string{"http": "80", "https": "443"}[parsed.Scheme]
		}
	}
	switch web.Code(err) {
	case web.Denied:
		return &problem{7, fmt.Sprintf("%s: Permission denied: %s", address, err), true}
	case web.Limit:
		return &problem{7, fmt.Sprintf("%s: %s", address, err), true}
	case web.DNS:
		return failing(6, "Could not resolve host: %s (%s)", host, err)
	case web.Connect:
		return failing(7, "Failed to connect to %s port %s: %s", host, port, err)
	case web.TLS:
		return failing(60, "SSL problem: %s", err)
	case web.Timeout:
		return failing(28, "Operation timed out: %s", err)
	case web.TooLarge:
		return failing(63, "Maximum file size exceeded: %s", err)
	case web.Redirects:
		return failing(47, "%s", err)
	case web.Encoding:
		return failing(61, "Unrecognized content encoding: %s", err)
	case web.Invalid:
		return failing(3, "%s", err)
	}
	if web.Code(err) == "" {
		return failing(7, "Failed to connect to %s port %s: %s", host, port, err)
	}
	return failing(56, "Failure when receiving data from the peer: %s", err)
}

// withRetries makes one transfer, and again what --retry asks for. The time of the call bounds it.
func (r *curl) withRetries(address string, number int) *problem {
	wait := time.Second
	for left := r.retries; ; left-- {
		one := &transfer{curl: r, began: time.Now(), url: address, effective: address, number: number}
		problem := one.run()
		again := left > 0 && one.transient(problem)
		if !again {
			one.write(problem)
			return problem
		}
		if r.delay > 0 {
			wait = r.delay
		}
		if !r.opts.Has("s") {
			fmt.Fprintf(r.c.Err(), "Warning: Problem: transient. Will retry in %d seconds. %d retries left.\n", int(wait.Seconds()), left)
		}
		select {
		case <-r.c.Context.Done():
			return failing(28, "the command was ended while it waited to try again")
		case <-time.After(wait):
		}
		wait *= 2
	}
}

// transfer is one URL.
type transfer struct {
	*curl
	began     time.Time
	url       string
	number    int
	effective string // the URL of the last request
	method    string // its method
	response  *web.Response
	redirects int
	leads     string // where a redirect that is not followed leads to
	headBytes int
	firstByte time.Duration
	left      time.Duration // of -m, once the head is there
	received  int64
	file      string // that was written
	heads     strings.Builder
}

// transient says whether the same request may do better later.
func (t *transfer) transient(p *problem) bool {
	if t.response != nil && p != nil && (p.code == 22 || t.opts.Has("retry-all-errors")) || p == nil && t.response != nil {
		switch t.response.Status {
		case 408, 429, 500, 502, 503, 504:
			return true
		}
	}
	if p == nil || p.denied {
		return false
	}
	return p.code == 6 || p.code == 28 || p.code == 7 && t.opts.Has("retry-connrefused") || t.opts.Has("retry-all-errors")
}

func (t *transfer) run() *problem {
	request, problem := t.request(t.url)
	if problem != nil {
		return problem
	}
	t.effective, t.method = request.URL, request.Method
	exchange := &exchange{redirectsMax: t.redirect, method: t.afterRedirect, seen: t.seen, allowed: t.later, total: t.maxTime}
	request, response, err := exchange.send(request)
	t.left = exchange.total
	t.redirects, t.effective, t.method = exchange.redirects, request.URL, request.Method
	t.firstByte = time.Since(t.began)
	if problem := t.dump(); problem != nil {
		return problem
	}
	if err != nil {
		return failure(err, t.effective)
	}
	defer response.Body.Close()
	t.response = response
	if to, _ := location(request, response); to != nil {
		t.leads = to.String()
	}
	failed := response.Status >= 400 && t.opts.Has("f", "fail-with-body")
	if failed && !t.opts.Has("fail-with-body") {
		return failing(22, "The requested URL returned error: %d", response.Status)
	}
	if problem := t.deliver(); problem != nil {
		return problem
	}
	if failed {
		return failing(22, "The requested URL returned error: %d", response.Status)
	}
	return nil
}

// afterRedirect is the method of the next request: -X stays, as it does in curl.
func (t *transfer) afterRedirect(status int, method string) string {
	if t.opts.Has("X") || t.opts.Has(fmt.Sprintf("post%d", status)) {
		return method
	}
	return asBrowsers(status, method)
}

// seen shows a request and its head as -v does, and keeps the head for -i and -D.
func (t *transfer) seen(request *web.Request, response *web.Response) {
	verbose := t.opts.Has("v")
	if verbose {
		address, _ := url.Parse(request.URL)
		lines := []string{"> " + request.Method + " " + address.RequestURI() + " HTTP/1.1", "> Host: " + address.Host}
		for _, header := range request.Headers {
			lines = append(lines, "> "+header[0]+": "+header[1])
		}
		fmt.Fprintf(t.c.Err(), "%s\n>\n", strings.Join(lines, "\n"))
	}
	if response == nil {
		return
	}
	head := headText(response)
	t.headBytes += len(head)
	t.heads.WriteString(head)
	if verbose {
		for line := range strings.SplitSeq(strings.TrimSuffix(head, "\r\n\r\n"), "\r\n") {
			fmt.Fprintf(t.c.Err(), "< %s\n", line)
		}
		io.WriteString(t.c.Err(), "<\n")
	}
}

// dump writes the heads to the file of -D.
func (t *transfer) dump() *problem {
	name, given := t.opts.Value("D")
	if !given {
		return nil
	}
	if name == "-" {
		t.c.Out.WriteString(t.heads.String())
		return nil
	}
	open := t.c.Create
	if t.dumped[name] {
		open = t.c.Append
	}
	t.dumped[name] = true
	file, err := open(name)
	if err != nil {
		return failing(23, "Failed to open %s: %s", name, kit.Reason(err))
	}
	_, err = io.WriteString(file, t.heads.String())
	if closing := file.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return failing(23, "Failure writing %s: %s", name, kit.Reason(err))
	}
	return nil
}
