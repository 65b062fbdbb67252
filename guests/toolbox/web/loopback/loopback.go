// Package loopback is a host for tests on the native machine: it answers package web with real requests to servers on
// loopback, in the words and within the bounds that the sandbox's host has.
//
// The toolbox itself does not import it. It judges by a function of the test, and knows nothing of grants.
package loopback

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
	"syscall"
	"time"

	"capbox/toolbox/web"
)

// Host sends requests by Go's client.
type Host struct {
	Certificates *x509.CertPool          // who is believed; nil is the system's
	Refuse       func(url string) string // the missing grant, "" to allow; nil allows all
	BodyBytesMax int64                   // 0 is 10 MB, as in the sandbox
	Wait         time.Duration           // for a response's head; 0 is without end

	mutex  sync.Mutex
	open   map[uint32]*stream
	last   uint32
	Closed int // bodies that were closed
}

type stream struct {
	in   io.Reader
	from io.Closer
	left int64
}

type asked struct {
	Method, URL string
	Headers     [][2]string
	Redirects   int
	Decode      bool
	TimeoutMS   int64 `json:"timeout_ms"`
	ConnectMS   int64 `json:"connect_timeout_ms"`
}

// sooner is the shorter of two waits; 0 has no end.
func sooner(one, other time.Duration) time.Duration {
	if one == 0 || other > 0 && other < one {
		return other
	}
	return one
}

// refusal is an answer with an error.
func refusal(code, message string, missing any) []byte {
	raw, _ := json.Marshal(map[string]any{"error": map[string]any{"code": code, "message": message, "missing": missing}})
	return raw
}

type denial struct{ missing string }

func (d denial) Error() string { return "no grant allows this request" }

// Request implements web.Host.
func (h *Host) Request(head, body []byte) (uint32, []byte, error) {
	var ask asked
	if err := json.Unmarshal(head, &ask); err != nil {
		return 0, nil, syscall.EINVAL
	}
	request, err := http.NewRequestWithContext(context.Background(), ask.Method, ask.URL, bytes.NewReader(body))
	if err == nil && request.URL.Host == "" {
		err = errors.New("the URL is not absolute")
	}
	if err != nil {
		return 0, refusal(web.Invalid, err.Error(), nil), nil
	}
	for _, one := range ask.Headers {
		request.Header.Add(one[0], one[1])
	}
	if request.Header.Get("User-Agent") == "" {
		request.Header.Set("User-Agent", "")
	}
	request.Header.Set("Accept-Encoding", map[bool]string{true: "gzip", false: "identity"}[ask.Decode])
	var hops []web.Redirect
	client := &http.Client{
		Transport: &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: h.Certificates}, DisableCompression: true, DisableKeepAlives: true,
			ResponseHeaderTimeout: sooner(h.Wait, time.Duration(ask.TimeoutMS)*time.Millisecond),
			DialContext:           (&net.Dialer{Timeout: time.Duration(ask.ConnectMS) * time.Millisecond}).DialContext,
		},
		CheckRedirect: func(next *http.Request, via []*http.Request) error {
			if len(via) > ask.Redirects {
				return http.ErrUseLastResponse
			}
			hops = append(hops, web.Redirect{Status: next.Response.StatusCode, URL: next.URL.String()})
			return h.judge(next.URL.String())
		},
	}
	if err := h.judge(ask.URL); err != nil {
		return 0, failure(err), nil
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, failure(err), nil
	}
	return h.opened(response, ask.Decode, hops)
}

func (h *Host) judge(url string) error {
	if h.Refuse != nil {
		if missing := h.Refuse(url); missing != "" {
			return denial{missing}
		}
	}
	return nil
}

// opened keeps the body and writes the head as JSON.
func (h *Host) opened(response *http.Response, decode bool, hops []web.Redirect) (uint32, []byte, error) {
	in, length := io.Reader(response.Body), any(nil)
	if response.ContentLength >= 0 {
		length = response.ContentLength
	}
	headers := [][2]string{}
	unpacked := decode && response.Header.Get("Content-Encoding") == "gzip"
	if unpacked {
		reader, err := gzip.NewReader(response.Body)
		if err != nil {
			return 0, refusal(web.Encoding, "the body is not the gzip stream that it says it is", nil), nil
		}
		in, length = reader, nil
		response.Header.Del("Content-Encoding")
		response.Header.Del("Content-Length")
	}
	for _, name := range slices.Sorted(maps.Keys(response.Header)) {
		for _, value := range response.Header[name] {
			headers = append(headers, [2]string{name, value})
		}
	}
	left := h.BodyBytesMax
	if left == 0 {
		left = 10_000_000
	}
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if h.open == nil {
		h.open = map[uint32]*stream{}
	}
	h.last++
	h.open[h.last] = &stream{in, response.Body, left}
	raw, err := json.Marshal(map[string]any{
		"status": response.StatusCode, "reason": http.StatusText(response.StatusCode), "url": response.Request.URL.String(),
		"address": response.Request.URL.Host, "headers": headers, "redirects": append([]web.Redirect{}, hops...), "length": length,
	})
	return h.last, raw, err
}

// Read implements web.Host.
func (h *Host) Read(handle uint32, into []byte) (int, []byte, error) {
	h.mutex.Lock()
	one := h.open[handle]
	h.mutex.Unlock()
	if one == nil {
		return 0, nil, syscall.EBADF
	}
	count, err := one.in.Read(into)
	for count == 0 && err == nil {
		count, err = one.in.Read(into)
	}
	if one.left -= int64(count); one.left < 0 {
		return 0, refusal(web.TooLarge, "the body is larger than the bound of the call", nil), nil
	}
	switch {
	case count > 0 || errors.Is(err, io.EOF):
		return count, nil, nil
	case errors.Is(err, gzip.ErrChecksum) || errors.Is(err, gzip.ErrHeader):
		return 0, refusal(web.Encoding, err.Error(), nil), nil
	}
	return 0, refusal(web.Protocol, "the connection ended within the body", nil), nil
}

// Close implements web.Host.
func (h *Host) Close(handle uint32) error {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	one := h.open[handle]
	if one == nil {
		return syscall.EBADF
	}
	delete(h.open, handle)
	h.Closed++
	return one.from.Close()
}

// Open is how many bodies are open.
func (h *Host) Open() int {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	return len(h.open)
}

// failure is the answer for an error of the client.
func failure(err error) []byte {
	var (
		denied   denial
		name     *net.DNSError
		timeout  net.Error
		verify   *tls.CertificateVerificationError
		record   tls.RecordHeaderError
		dialling *net.OpError
	)
	switch {
	case errors.As(err, &denied):
		return refusal(web.Denied, denied.Error(), denied.missing)
	case errors.As(err, &name):
		return refusal(web.DNS, fmt.Sprintf("no address is known for %s", name.Name), nil)
	case errors.As(err, &verify):
		return refusal(web.TLS, "the certificate is not valid: "+verify.Err.Error(), nil)
	case errors.As(err, &record) || errors.Is(err, http.ErrSchemeMismatch):
		return refusal(web.TLS, "the server does not speak TLS", nil)
	case errors.As(err, &timeout) && timeout.Timeout():
		return refusal(web.Timeout, "no answer in time", nil)
	case errors.As(err, &dialling) && dialling.Op == "dial":
		return refusal(web.Connect, "the connection was refused", nil)
	}
	return refusal(web.Protocol, "the server's answer is not HTTP", nil)
}
