package network

import (
	"net/url"
	"strings"

	"capbox/toolbox/web"
)

// addCookies adds what -b gives: NAME=VALUE pairs, or a file of cookies of which those for this address are sent.
func (t *transfer) addCookies(request *web.Request, address *url.URL) *problem {
	var pairs []string
	for _, one := range t.opts.List {
		if one.Key != "b" {
			continue
		}
		if strings.Contains(one.Value, "=") {
			pairs = append(pairs, strings.TrimSpace(one.Value))
			continue
		}
		if one.Value == "" {
			continue
		}
		raw, err := upload(t.c, one.Value)
		if err != nil {
			return failing(26, "Failed to open %s: %s", one.Value, reason(err))
		}
		for line := range strings.SplitSeq(string(raw), "\n") {
			if pair := cookieFor(strings.TrimRight(line, "\r"), address); pair != "" {
				pairs = append(pairs, pair)
			}
		}
	}
	if len(pairs) > 0 {
		request.Headers = append(request.Headers[:len(request.Headers):len(request.Headers)], [2]string{"Cookie", strings.Join(pairs, "; ")})
	}
	return nil
}

// cookieFor is the pair of a line of a cookie file (Netscape's format: domain, subdomains, path, secure, expiry, name,
// value), "" if it is not for this address. When it expires is not looked at: the file is the script's own.
func cookieFor(line string, address *url.URL) string {
	line = strings.TrimPrefix(line, "#HttpOnly_")
	fields := strings.Split(line, "\t")
	if strings.HasPrefix(line, "#") || len(fields) != 7 {
		return ""
	}
	domain, host := strings.TrimPrefix(strings.ToLower(fields[0]), "."), address.Hostname()
	within := host == domain || fields[1] == "TRUE" && strings.HasSuffix(host, "."+domain)
	below := address.Path == fields[2] || strings.HasPrefix(address.Path, strings.TrimSuffix(fields[2], "/")+"/")
	if !within || !below || fields[3] == "TRUE" && address.Scheme != "https" {
		return ""
	}
	return fields[5] + "=" + fields[6]
}
