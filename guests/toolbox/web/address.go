package web

import (
	"errors"
	"net/url"
	"strings"

	"golang.org/x/net/idna"
)

// urlBytesMax is what RFC 9110 (4.1) asks every server to take.
const urlBytesMax = 8000

// Canonical writes a URL as the host takes it: scheme and host in lower case, the host in ASCII without a dot at its
// end, no fragment, and nothing in path and query that has to be escaped. Schemes and user names are left for the host
// to judge. It fails for what is no absolute URL.
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
	address.Scheme = strings.ToLower(address.Scheme)
	host, err := canonicalHost(address.Hostname())
	if err != nil {
		return nil, err
	}
	port := address.Port()
	if port == "" || address.Scheme == "http" && port == "80" || address.Scheme == "https" && port == "443" {
		address.Host = host
	} else {
		address.Host = host + ":" + port
	}
	if address.Path == "" {
		address.Path = "/"
	}
	address.Fragment, address.RawFragment = "", ""
	address.RawQuery = escapedQuery(address.RawQuery)
	return address, nil
}

func canonicalHost(host string) (string, error) {
	if strings.Contains(host, ":") {
		return "[" + strings.ToLower(host) + "]", nil
	}
	host = strings.TrimSuffix(host, ".")
	ascii := true
	for _, b := range []byte(host) {
		ascii = ascii && b < 0x80
	}
	if ascii {
		return strings.ToLower(host), nil
	}
	name, err := idna.Lookup.ToASCII(host)
	if err != nil {
		return "", errors.New("the host's name cannot be written in ASCII")
	}
	return name, nil
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
