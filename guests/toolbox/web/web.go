// Package web is the one way out of the sandbox: the host sends a request, and hands over the head and the body.
//
// It guarantees that a request goes to the host whole, that an error carries the host's code and its sentence, and that
// a body is read in pieces of bounded size. It opens no connection, follows nothing and holds no secret: what may be
// asked for, of whom, and with which credentials is decided by the host.
package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// RedirectsMax is how many redirects the host follows by itself at most.
const RedirectsMax = 5

// Request is what is sent. Header lines keep their order; Body may be nil.
type Request struct {
	Method    string
	URL       string
	Headers   [][2]string
	Body      []byte
	Redirects int  // how many are followed by the host
	Decode    bool // compressed bodies are asked for and come decoded

	// While the host answers, nothing else happens in here: only it can end the wait. 0 is as long as it waits anyway.
	Timeout        time.Duration   // for the head, redirects included, and for each silence within the body
	ConnectTimeout time.Duration   // for each connection
	Context        context.Context // its deadline ends the wait too; nil has none
}

// head is Request as the host reads it.
type head struct {
	Method    string      `json:"method"`
	URL       string      `json:"url"`
	Headers   [][2]string `json:"headers"`
	Redirects int         `json:"redirects"`
	Decode    bool        `json:"decode"`
	Timeout   int64       `json:"timeout_ms,omitempty"`
	Connect   int64       `json:"connect_timeout_ms,omitempty"`
}

// milliseconds is a wait as the host reads it, rounded up: when it ends, the guest's own clock is past it.
func milliseconds(wait time.Duration) int64 {
	return min(int64((wait+time.Millisecond-1)/time.Millisecond), 1<<40)
}

// Over says whether a context has ended, or would have if the wait for the host had let its timer run.
func Over(ctx context.Context) bool {
	at, bound := ctx.Deadline()
	return ctx.Err() != nil || bound && !time.Now().Before(at)
}

// wait is how long the head is waited for, 0 for as long as the host likes.
func (r *Request) wait() (time.Duration, error) {
	if r.Context == nil {
		return r.Timeout, nil
	}
	if Over(r.Context) {
		return 0, &Error{Code: Timeout, Message: "the time was over before it was sent"}
	}
	at, bound := r.Context.Deadline()
	if left := time.Until(at); bound && (r.Timeout == 0 || left < r.Timeout) {
		return max(left, 1), nil
	}
	return r.Timeout, nil
}

// Redirect is one step that the host followed.
type Redirect struct {
	Status int    `json:"status"`
	URL    string `json:"url"`
}

// Response is the answer's head; Body is read until its end or closed before.
type Response struct {
	Status    int         `json:"status"`
	Reason    string      `json:"reason"`
	URL       string      `json:"url"` // of the last request
	Address   string      `json:"address"`
	Headers   [][2]string `json:"headers"`
	Redirects []Redirect  `json:"redirects"`
	Length    *int64      `json:"length"` // nil if it was not said
	Body      io.ReadCloser
}

// Header is the first header of a name, "" if there is none.
func (r *Response) Header(name string) string {
	for _, one := range r.Headers {
		if strings.EqualFold(one[0], name) {
			return one[1]
		}
	}
	return ""
}

// leadsOn says whether the response is a redirect that the host has not followed.
func (r *Response) leadsOn() bool {
	switch r.Status {
	case 301, 302, 303, 307, 308:
		return r.Header("Location") != ""
	}
	return false
}

// Error is why there is no response, or no rest of its body.
type Error struct {
	Code    string  `json:"code"`
	Message string  `json:"message"`
	Missing *string `json:"missing"` // the grant that would have allowed it
}

// The codes of the host.
const (
	Denied    = "denied"
	DNS       = "dns"
	Connect   = "connect"
	TLS       = "tls"
	Timeout   = "timeout"
	TooLarge  = "too_large"
	Limit     = "limit" // of what a call may ask for
	Protocol  = "protocol"
	Redirects = "redirects"
	Encoding  = "encoding"
	Invalid   = "invalid"
	Secret    = "secret"
)

// Error implements error: the host's sentence, and for a denial the missing grant.
func (e *Error) Error() string {
	text := e.Message
	if text == "" {
		text = "the host gave the reason " + e.Code
	}
	if missing := e.Lacking(); missing != "" && !strings.Contains(text, missing) {
		text = strings.TrimRight(text, ". ") + " (missing grant: " + missing + ")"
	}
	return text
}

// Lacking is the missing grant, "" if none would help.
func (e *Error) Lacking() string {
	if e.Missing == nil {
		return ""
	}
	return *e.Missing
}

// Code is an error's code, "" for what did not come from the host.
func Code(err error) string {
	var known *Error
	if errors.As(err, &known) {
		return known.Code
	}
	return ""
}

// Host is who sends requests. The one of the sandbox is the import; tests bring one that speaks to loopback servers.
type Host interface {
	// Request gives a handle of the body and the JSON of the head, or of an error.
	Request(head, body []byte) (handle uint32, answer []byte, err error)
	// Read gives the next bytes (0 at the end), or the JSON of an error.
	Read(handle uint32, into []byte) (count int, answer []byte, err error)
	Close(handle uint32) error
}

// Use lets another host send, until the function that it returns is called.
func Use(host Host) (restore func()) {
	before := sender
	sender = host
	return func() { sender = before }
}

// Do sends a request. An error is an *Error, or one of the import itself.
func Do(request *Request) (*Response, error) {
	wait, err := request.wait()
	if err != nil {
		return nil, err
	}
	asked := head{request.Method, request.URL, request.Headers, min(max(request.Redirects, 0), RedirectsMax), request.Decode,
		milliseconds(wait), milliseconds(request.ConnectTimeout)}
	if asked.Headers == nil {
		asked.Headers = [][2]string{}
	}
	raw, err := json.Marshal(asked)
	if err != nil {
		return nil, err
	}
	host := sender
	handle, answer, err := host.Request(raw, request.Body)
	if err != nil {
		return nil, fmt.Errorf("the host does not take the request: %w", err)
	}
	var reply struct {
		Response
		Error *Error `json:"error"`
	}
	if err := json.Unmarshal(answer, &reply); err != nil {
		return nil, fmt.Errorf("the host's answer cannot be read: %w", err)
	}
	if reply.Error != nil {
		return nil, reply.Error
	}
	response := reply.Response
	response.Body = &body{host: host, handle: handle}
	if asked.Redirects > 0 && response.leadsOn() {
		_ = response.Body.Close()
		return nil, &Error{Code: Redirects, Message: fmt.Sprintf("more than %d redirects; the last one is %s", asked.Redirects, response.URL)}
	}
	return &response, nil
}

// body reads what the host hands over.
type body struct {
	host   Host
	handle uint32
	ended  error
	closed bool
}

// Read implements io.Reader.
func (b *body) Read(into []byte) (int, error) {
	if b.ended != nil || len(into) == 0 {
		return 0, b.ended
	}
	count, answer, err := b.host.Read(b.handle, into)
	var reply struct {
		Error *Error `json:"error"`
	}
	switch {
	case err != nil:
		b.ended = fmt.Errorf("the host does not give the body: %w", err)
	case len(answer) > 0:
		if err := json.Unmarshal(answer, &reply); err != nil || reply.Error == nil {
			b.ended = errors.New("the host's answer to reading the body cannot be read")
		} else {
			b.ended = reply.Error
		}
	case count == 0:
		b.ended = io.EOF
	}
	return count, b.ended
}

// Close implements io.Closer: what is not read is not fetched.
func (b *body) Close() error {
	if b.closed {
		return nil
	}
	b.closed = true
	if b.ended == nil {
		b.ended = errors.New("the body was closed")
	}
	return b.host.Close(b.handle)
}
