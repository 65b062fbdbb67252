package network

import (
	"maps"
	"strconv"
	"strings"
	"time"

	"capbox/toolbox/commands/kit"
)

// curlSpec is every option of curl that is known; those of curlRefused are known in order to be refused by name.
var curlSpec = kit.Spec{
	Short: "#012346A:C:D:E:F:GH:IJK:LNOP:Q:RST:U:VX:Y:Zab:c:d:e:fghijkm:no:pqr:su:vw:x:y:z:",
	Long: "anyauth append=a aws-sigv4: basic cacert: capath: cert=E ciphers: compressed config=K connect-timeout: connect-to: " +
		"continue-at=C cookie=b cookie-jar=c create-dirs crlf data-ascii=d data=d data-binary: data-raw: data-urlencode: digest " +
		"disable=q dump-header=D fail=f fail-early fail-with-body form=F form-string: ftp-port=P get=G globoff=g head=I header=H " +
		"http0.9 http1.0=0 http1.1 http2 http2-prior-knowledge http3 include=i insecure=k interface: ipv4=4 ipv6=6 json: " +
		"junk-session-cookies=j keepalive-time: key: limit-rate: local-port: location=L location-trusted max-filesize: " +
		"max-redirs: max-time=m negotiate netrc=n netrc-file: next no-buffer=N no-clobber no-keepalive no-progress-meter " +
		"noproxy: ntlm oauth2-bearer: output=o output-dir: parallel=Z parallel-max: path-as-is pinnedpubkey: post301 post302 " +
		"post303 preproxy: progress-bar=# proto: proto-default: proto-redir: proxy=x proxy-user=U proxytunnel=p quote=Q range=r referer=e " +
		"remote-header-name=J remote-name=O remote-name-all remote-time=R remove-on-error request=X request-target: resolve: retry: " +
		"retry-all-errors retry-connrefused retry-delay: retry-max-time: show-error=S silent=s socks5: speed-limit=Y speed-time=y " +
		"ssl-reqd stderr: tcp-nodelay time-cond=z tls-max: tlsv1=1 tlsv1.0 tlsv1.1 tlsv1.2 tlsv1.3 trace: trace-ascii: " +
		"unix-socket: upload-file=T url: url-query: use-ascii user=u user-agent=A verbose=v version=V write-out=w xattr",
	Usage:   "[OPTION]... URL...",
	Status:  2,
	Refused: append([]string{"k", "x", "U", "socks5"}, curlRefused...),
}

// curlRefused would have to do something else than it says: what is below a request is the host's.
var curlRefused = []string{
	"2", "3", "C", "E", "K", "P", "Q", "R", "Y", "a", "c", "n", "y", "z", "next", "anyauth", "aws-sigv4", "cacert", "capath", "ciphers", "connect-to",
	"crlf", "digest", "http0.9", "interface", "key", "limit-rate", "local-port", "location-trusted", "negotiate",
	"netrc-file", "no-clobber", "noproxy", "ntlm", "pinnedpubkey", "preproxy", "proto-default", "request-target", "resolve",
	"ssl-reqd", "stderr", "trace", "trace-ascii", "unix-socket", "use-ascii", "xattr", "p", "path-as-is", "tls-max",
}

// redirectsUsual is how many redirects -L follows at most.
const redirectsUsual = 50

// prepare reads the options.
func (r *curl) prepare() *problem {
	r.dumped = map[string]bool{}
	r.urls = r.opts.Operands
	for _, one := range r.opts.List {
		switch one.Key {
		case "url":
			r.urls = append(r.urls, one.Value)
		case "o":
			r.outputs = append(r.outputs, one.Value)
		case "O":
			r.outputs = append(r.outputs, "")
		}
	}
	if len(r.urls) == 0 {
		return failing(curlUsage, "no URL specified")
	}
	numbers := []struct {
		key string
		set func(float64)
	}{
		{"m", func(n float64) { r.maxTime = time.Duration(n * float64(time.Second)) }},
		{"connect-timeout", func(n float64) { r.connect = time.Duration(n * float64(time.Second)) }},
		{"retry", func(n float64) { r.retries = int(n) }},
		{"retry-delay", func(n float64) { r.delay = time.Duration(n * float64(time.Second)) }},
		{"retry-max-time", func(float64) {}}, // the time of the call is shorter
		{"keepalive-time", func(float64) {}},
		{"parallel-max", func(float64) {}},
	}
	for _, one := range numbers {
		text, given := r.opts.Value(one.key)
		if !given {
			continue
		}
		n, err := strconv.ParseFloat(text, 64)
		if err != nil || !(n >= 0 && n <= 1e6) {
			return failing(curlUsage, "%s is not a number that its option takes", text)
		}
		one.set(n)
	}
	if problem := r.prepareProtocols(); problem != nil {
		return problem
	}
	if problem := r.prepareBounds(); problem != nil {
		return problem
	}
	for _, read := range []func() *problem{r.readHeaders, r.readBody, r.readFormat} {
		if problem := read(); problem != nil {
			return problem
		}
	}
	return nil
}

// prepareBounds reads what bounds sizes and redirects.
func (r *curl) prepareBounds() *problem {
	if text, given := r.opts.Value("max-filesize"); given {
		n, ok := sized(text)
		if !ok {
			return failing(curlUsage, "--max-filesize: %s is no size", text)
		}
		r.maxBytes = n
	}
	if r.opts.Has("L") {
		r.redirect = redirectsUsual
	}
	if text, given := r.opts.Value("max-redirs"); given && r.opts.Has("L") {
		n, err := strconv.Atoi(text)
		if err != nil || n < -1 {
			return failing(curlUsage, "--max-redirs: %s is no number", text)
		}
		if r.redirect = n; n < 0 {
			r.redirect = redirectsUsual
		}
		if n == 0 {
			r.redirect = noRedirects
		}
	}
	return nil
}

// prepareProtocols reads --proto and --proto-redir.
func (r *curl) prepareProtocols() *problem {
	r.first = set("http https")
	if text, given := r.opts.Value("proto"); given && !protocols(r.first, text) {
		return failing(1, "--proto: unrecognized protocol in '%s'", text)
	}
	r.later = maps.Clone(r.first)
	if text, given := r.opts.Value("proto-redir"); given && !protocols(r.later, text) {
		return failing(1, "--proto-redir: unrecognized protocol in '%s'", text)
	}
	return nil
}

// protocols changes a set as a list does: `=https`, `-http`, `all`. Other protocols than of the web are never in it.
func protocols(allowed map[string]bool, list string) bool {
	for word := range strings.SplitSeq(list, ",") {
		sign := byte('+')
		if word != "" && strings.IndexByte("+-=", word[0]) >= 0 {
			sign, word = word[0], word[1:]
		}
		if word == "" {
			return false
		}
		if sign == '=' {
			clear(allowed)
		}
		for _, one := range []string{"http", "https"} {
			if word == one || word == "all" {
				allowed[one] = sign != '-'
			}
		}
	}
	return true
}

// noRedirects is -L --max-redirs 0: the first redirect is too many.
const noRedirects = -1

// sized reads a number of bytes with K, M or G.
func sized(text string) (int64, bool) {
	scale := int64(1)
	if text != "" {
		if shift := strings.IndexByte("kmg", text[len(text)-1]|0x20); shift >= 0 {
			scale, text = 1<<(10*(shift+1)), text[:len(text)-1]
		}
	}
	n, err := strconv.ParseInt(text, 10, 40)
	return n * scale, err == nil && n >= 0
}

// readHeaders collects the header lines of -H, -A, -e, -b, -u and the like.
func (r *curl) readHeaders() *problem {
	for _, one := range r.opts.List {
		switch one.Key {
		case "A":
			r.setHeader("User-Agent", one.Value)
		case "e":
			referer, _, _ := strings.Cut(one.Value, ";")
			r.setHeader("Referer", referer)
		case "r":
			r.setHeader("Range", "bytes="+one.Value)
		case "u":
			if !strings.Contains(one.Value, ":") {
				return failing(curlUsage, "-u takes USER:PASSWORD: there is no terminal to ask for a password on")
			}
			r.setHeader("Authorization", basic(one.Value))
		case "oauth2-bearer":
			r.setHeader("Authorization", "Bearer "+one.Value)
		}
	}
	if r.opts.Has("json") {
		r.setHeader("Content-Type", "application/json")
		r.setHeader("Accept", "application/json")
	}
	for _, one := range r.opts.List {
		if one.Key != "H" {
			continue
		}
		lines := []string{one.Value}
		if name, file := strings.CutPrefix(one.Value, "@"); file {
			raw, err := upload(r.c, name)
			if err != nil {
				return failing(26, "Failed to open %s: %s", name, reason(err))
			}
			lines = strings.Split(string(raw), "\n")
		}
		for _, line := range lines {
			if problem := r.headerLine(strings.TrimRight(line, "\r\n")); problem != nil {
				return problem
			}
		}
	}
	return nil
}

// setHeader sets a header once; the empty value takes it away.
func (r *curl) setHeader(name, value string) {
	kept := r.headers[:0]
	for _, header := range r.headers {
		if !strings.EqualFold(header[0], name) {
			kept = append(kept, header)
		}
	}
	r.headers = append(kept, [2]string{name, value})
}

// headerLine is one -H: `Name: value`, `Name:` takes a header away, and `Name;` sends it empty.
func (r *curl) headerLine(line string) *problem {
	if strings.TrimSpace(line) == "" {
		return nil
	}
	name, value, colon := strings.Cut(line, ":")
	name = strings.TrimSpace(name)
	bare, empty := strings.CutSuffix(name, ";")
	switch {
	case !colon && !empty:
		return nil // curl leaves such a line out
	case !colon:
		name = bare
	}
	value = strings.TrimSpace(value)
	if problem := ofTheHost(name, value); problem != nil {
		return problem
	}
	if droppedHeaders[strings.ToLower(name)] {
		return nil
	}
	for _, header := range r.headers {
		if strings.EqualFold(header[0], name) && usualHeaders[strings.ToLower(name)] {
			r.setHeader(name, value)
			return nil
		}
	}
	if colon && value == "" {
		r.setHeader(name, removed)
		return nil
	}
	r.headers = append(r.headers, [2]string{name, value})
	return nil
}

// removed stands for a header that is not sent; no header has it as its value.
const removed = "\x00"

var (
	// usualHeaders are sent once; others may be given several times.
	usualHeaders = map[string]bool{"user-agent": true, "accept": true, "content-type": true, "referer": true, "authorization": true, "range": true}
	// droppedHeaders change nothing of what is asked: the host frames the request.
	droppedHeaders = map[string]bool{"connection": true, "content-length": true, "expect": true, "keep-alive": true, "te": true, "transfer-encoding": true}
)

// ofTheHost refuses the headers that would have to be sent as they are, and that only the host sends.
func ofTheHost(name, value string) *problem {
	lower := strings.ToLower(name)
	switch {
	case lower == "host" && value != "", strings.HasPrefix(lower, "proxy-"), lower == "upgrade", lower == "trailer":
		return failing(curlUsage, "not supported: -H '%s: ...': this header is the host's", name)
	case lower == "accept-encoding" && value != "" && value != "identity":
		return failing(curlUsage, "not supported: -H '%s: ...': use --compressed", name)
	}
	return nil
}

// urlOf completes a URL as curl does, and refuses what it would expand.
func (r *curl) urlOf(text string) (string, *problem) {
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	scheme, rest, _ := strings.Cut(text, "://")
	if scheme = strings.ToLower(scheme); !r.first[scheme] {
		return "", failing(1, "%s", foreign{scheme})
	}
	if _, path, _ := strings.Cut(rest, "/"); !r.opts.Has("g") && strings.ContainsAny(path, "{}[]") {
		return "", failing(curlUsage, "not supported: lists and ranges in a URL (%s): use a loop, or -g for a URL with such characters", text)
	}
	return text, nil
}

func (r *curl) readFormat() *problem {
	format, given := r.opts.Value("w")
	if name, file := strings.CutPrefix(format, "@"); given && file {
		raw, err := upload(r.c, name)
		if err != nil {
			return failing(26, "Failed to open %s: %s", name, reason(err))
		}
		format = string(raw)
	}
	r.format = format
	for _, name := range formatNames(format) {
		if !knownFormat(name) {
			return failing(curlUsage, "not supported: -w %%{%s}", name)
		}
	}
	return nil
}

func reason(err error) string { return kit.Reason(err) }
