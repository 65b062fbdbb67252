package web

import (
	"errors"
	"net/url"
	"strings"
)

// urlBytesMax is what RFC 9110 (4.1) asks every server to take.
const urlBytesMax = 8000

// Canonical writes a URL as the host takes it: no fragment, and nothing in path and query that has to be escaped.
// Scheme, user and host stay as they were given, for the host to judge: a name in another spelling is another name,
// and must not become a granted one here. It fails for what is no absolute URL.
func Canonical(text string) (*url.URL, error) {
	text = strings.TrimSpace(text)
	if len(text) > urlBytesMax {
		return nil, errors.New("the URL is longer than 8,000 bytes")
	}
	address, err := url.Parse(text)
	if err != nil {
		var wrapped *url.Error
		if errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		return nil, err
	}
	if address.Scheme == "" || address.Host == "" {
		return nil, errors.New("the URL is not absolute: write https://HOST/PATH")
	}
	if address.Path == "" {
		address.Path = "/"
	}
	address.Fragment, address.RawFragment = "", ""
	address.RawQuery = escapedQuery(address.RawQuery)
	return address, nil
}

// escapedQuery escapes what no query may hold; what is escaped already stays.
func escapedQuery(query string) string {
	const hex = "0123456789ABCDEF"
	var out strings.Builder
	for _, b := range []byte(query) {
		if b <= ' ' || b >= 0x7f || strings.IndexByte("\"<>\\^`{|}", b) >= 0 {
			out.Write([]byte{'%', hex[b>>4], hex[b&15]})
			continue
		}
		out.WriteByte(b)
	}
	return out.String()
}
