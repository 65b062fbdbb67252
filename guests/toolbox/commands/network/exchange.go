// Package network is the commands curl and wget over package web.
//
// It guarantees that every request, each step of a redirect too, is one that the host decides on; that credentials and
// cookies stay with the server they were given for; and that bodies are written as they come, with bounded memory. An
// option that cannot be served is refused by name.
package network

import (
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"capbox/toolbox/commands/kit"
	"capbox/toolbox/web"
)

const (
	// uploadBytesMax bounds a request's body, which is held in memory whole.
	uploadBytesMax = 32 << 20
	copyBytes      = 256 << 10
)

// exchange is one request and those that redirects lead to.
type exchange struct {
	redirectsMax int
	allowed      map[string]bool // schemes that a redirect may lead to
	// method is what follows a redirect with a status, after a request with a method.
	method func(status int, method string) string
	// seen is told each request, and its response if there is one.
	seen func(*web.Request, *web.Response)
	// total is the time for all of it, of which send leaves the rest; 0 has no end.
	total time.Duration

	redirects int // that were followed
}

// tooMany is that there were more redirects than may be followed.
type tooMany struct{ max int }

func (t tooMany) Error() string { return fmt.Sprintf("Maximum (%d) redirects followed", t.max) }

// foreign is an address whose scheme is not one of the web.
type foreign struct{ scheme string }

func (f foreign) Error() string {
	return fmt.Sprintf("Protocol %q not supported or disabled", f.scheme)
}

// send gives the last response; the caller closes its body. The request is that which it answers.
func (e *exchange) send(request *web.Request) (*web.Request, *web.Response, error) {
	for {
		if e.total > 0 {
			request.Timeout = e.total
		}
		began := time.Now()
		response, err := web.Do(request)
		// The host waits no longer than that: if more has passed, a person was asked, whose time does not count.
		if spent := time.Since(began); spent < e.total {
			e.total -= spent
		}
		e.seen(request, response)
		if err != nil {
			return request, nil, err
		}
		next, err := e.next(request, response)
		if err != nil {
			_ = response.Body.Close()
			return request, nil, err
		}
		if next == nil {
			return request, response, nil
		}
		_ = response.Body.Close()
		request = next
		e.redirects++
	}
}

// location is where a response leads to, nil if nowhere.
func location(request *web.Request, response *web.Response) (*url.URL, error) {
	to := response.Header("Location")
	if response.Status/100 != 3 || to == "" {
		return nil, nil
	}
	from, err := url.Parse(request.URL)
	if err != nil {
		return nil, err
	}
	resolved, err := from.Parse(to)
	if err != nil {
		return nil, err
	}
	if resolved.Scheme != "http" && resolved.Scheme != "https" {
		return resolved, nil
	}
	return web.Canonical(resolved.String())
}

// next is the request that follows a response, nil if there is none.
func (e *exchange) next(request *web.Request, response *web.Response) (*web.Request, error) {
	if e.redirectsMax == 0 { // they are not followed
		return nil, nil
	}
	to, err := location(request, response)
	if to == nil || err != nil {
		return nil, err
	}
	if !e.allowed[to.Scheme] {
		return nil, foreign{to.Scheme}
	}
	if e.redirects >= e.redirectsMax {
		return nil, tooMany{max(e.redirectsMax, 0)}
	}
	next := &web.Request{Method: e.method(response.Status, request.Method), URL: to.String(), Decode: request.Decode,
		Timeout: request.Timeout, ConnectTimeout: request.ConnectTimeout, Context: request.Context}
	from, _ := url.Parse(request.URL)
	for _, header := range request.Headers {
		name := strings.ToLower(header[0])
		// What a person gave for one server must not be had by another that the first one names.
		if (name == "authorization" || name == "cookie") && (from.Scheme != to.Scheme || from.Host != to.Host) {
			continue
		}
		if next.Method != request.Method && strings.HasPrefix(name, "content-") {
			continue
		}
		next.Headers = append(next.Headers, header)
	}
	if next.Method == request.Method {
		next.Body = request.Body
	}
	return next, nil
}

// asBrowsers is what browsers make of a method: a POST that is redirected asks for a page (RFC 9110, 15.4).
func asBrowsers(status int, method string) string {
	switch {
	case status == 303 && method != "HEAD", (status == 301 || status == 302) && method == "POST":
		return "GET"
	}
	return method
}

// headText is a response's head as it would have come.
func headText(response *web.Response) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s\r\n", strings.TrimRight(fmt.Sprintf("HTTP/1.1 %d %s", response.Status, response.Reason), " "))
	for _, header := range response.Headers {
		fmt.Fprintf(&out, "%s: %s\r\n", header[0], header[1])
	}
	out.WriteString("\r\n")
	return out.String()
}

// upload reads a file, or the standard input, that is to be sent.
func upload(c *kit.Call, name string) ([]byte, error) {
	file, err := c.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	raw, err := io.ReadAll(io.LimitReader(file, uploadBytesMax+1))
	if err == nil && len(raw) > uploadBytesMax {
		err = fmt.Errorf("more than %d MB cannot be sent", uploadBytesMax>>20)
	}
	return raw, err
}

// fileName is the last part of a URL's path, "" if it has none that can be the name of a file.
func fileName(address string) string {
	parsed, err := url.Parse(address)
	if err != nil {
		return ""
	}
	name := kit.BaseOf(parsed.EscapedPath())
	if plain, err := url.PathUnescape(name); err == nil && !strings.ContainsAny(plain, "/\\\x00") {
		name = plain
	}
	return safeName(name)
}

// safeName is a name that a server gives, without what would lead out of the directory.
func safeName(name string) string {
	name = name[strings.LastIndexAny(name, "/\\")+1:]
	name = strings.Map(func(char rune) rune {
		if char < ' ' || char == 0x7f {
			return '_'
		}
		return char
	}, name)
	if name == "." || name == ".." {
		return ""
	}
	return name
}
