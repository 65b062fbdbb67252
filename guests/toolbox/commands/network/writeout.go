package network

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// write writes what -w asks for.
func (t *transfer) write(p *problem) {
	out, rest := io.Writer(t.c.Out), t.format
	for rest != "" {
		at := strings.IndexAny(rest, `%\`)
		if at < 0 || at == len(rest)-1 {
			io.WriteString(out, rest)
			return
		}
		io.WriteString(out, rest[:at])
		mark, next := rest[at], rest[at+1]
		rest = rest[at+2:]
		switch {
		case mark == '\\':
			if plain := strings.IndexByte("nrt", next); plain >= 0 {
				io.WriteString(out, "\n\r\t"[plain:plain+1])
			} else {
				io.WriteString(out, `\`+string(next))
			}
		case next == '%':
			io.WriteString(out, "%")
		case next == '{' && strings.Contains(rest, "}"):
			name, after := formatName(rest)
			rest = after
			switch name {
			case "stderr":
				out = t.c.Err()
			case "stdout":
				out = t.c.Out
			case "onerror":
				if p == nil {
					return
				}
			default:
				io.WriteString(out, t.variable(name, p))
			}
		default:
			io.WriteString(out, "%"+string(next))
		}
	}
}

// formatName is the name up to its brace; that of a header has braces of its own.
func formatName(rest string) (name, after string) {
	end := strings.IndexByte(rest, '}')
	if strings.HasPrefix(rest, "header{") && strings.HasPrefix(rest[end:], "}}") {
		end++
	}
	return rest[:end], rest[end+1:]
}

// formatNames are the names in a format.
func formatNames(format string) (names []string) {
	for {
		at := strings.Index(format, "%")
		if at < 0 || at+1 >= len(format) {
			return names
		}
		if rest := format[at+2:]; format[at+1] == '{' && strings.Contains(rest, "}") {
			name, after := formatName(rest)
			names, format = append(names, name), after
			continue
		}
		format = format[at+2:]
	}
}

var formatWords = set("stderr stdout onerror")

func set(words string) map[string]bool {
	all := map[string]bool{}
	for _, word := range strings.Fields(words) {
		all[word] = true
	}
	return all
}

// knownFormat says whether -w has a variable. The times of steps below a request are not: only the host knows them.
func knownFormat(name string) bool {
	return formatWords[name] || name == "json" || variables[name] != nil || strings.HasPrefix(name, "header{") && strings.HasSuffix(name, "}")
}

func (t *transfer) variable(name string, p *problem) string {
	if header, ok := strings.CutPrefix(name, "header{"); ok {
		if t.response == nil {
			return ""
		}
		return t.response.Header(strings.TrimSuffix(header, "}"))
	}
	if name == "json" {
		return t.asJSON(p)
	}
	return variables[name](t, p)
}

// variables are those of -w that do not come from elsewhere.
var variables = map[string]func(*transfer, *problem) string{
	"content_type": func(t *transfer, _ *problem) string { return t.header("Content-Type") },
	"errormsg": func(_ *transfer, p *problem) string {
		if p == nil {
			return ""
		}
		return p.text
	},
	"exitcode": func(_ *transfer, p *problem) string {
		if p == nil {
			return "0"
		}
		return strconv.Itoa(p.code)
	},
	"filename_effective": func(t *transfer, _ *problem) string { return t.file },
	"header_json":        func(t *transfer, _ *problem) string { return t.headerJSON() },
	"http_code":          func(t *transfer, _ *problem) string { return t.status() },
	"http_version":       func(*transfer, *problem) string { return "1.1" },
	"method":             func(t *transfer, _ *problem) string { return t.method },
	"num_redirects":      func(t *transfer, _ *problem) string { return strconv.Itoa(t.redirects) },
	"redirect_url":       func(t *transfer, _ *problem) string { return t.leads },
	"referer":            func(t *transfer, _ *problem) string { return t.own("Referer") },
	"remote_ip":          func(t *transfer, _ *problem) string { ip, _ := t.peer(); return ip },
	"remote_port":        func(t *transfer, _ *problem) string { _, port := t.peer(); return port },
	"response_code":      func(t *transfer, _ *problem) string { return t.status() },
	"scheme": func(t *transfer, _ *problem) string {
		scheme, _, _ := strings.Cut(t.effective, "://")
		return strings.ToUpper(scheme)
	},
	"size_download":      func(t *transfer, _ *problem) string { return strconv.FormatInt(t.received, 10) },
	"size_header":        func(t *transfer, _ *problem) string { return strconv.Itoa(t.headBytes) },
	"size_upload":        func(t *transfer, _ *problem) string { return strconv.Itoa(len(t.body)) },
	"speed_download":     func(t *transfer, _ *problem) string { return t.speed() },
	"time_starttransfer": func(t *transfer, _ *problem) string { return seconds(t.firstByte) },
	"time_total":         func(t *transfer, _ *problem) string { return seconds(time.Since(t.began)) },
	"url":                func(t *transfer, _ *problem) string { return t.url },
	"url_effective":      func(t *transfer, _ *problem) string { return t.effective },
	"urlnum":             func(t *transfer, _ *problem) string { return strconv.Itoa(t.number) },
}

// jsonNames are what %{json} holds.
var jsonNames = []string{
	"content_type", "errormsg", "exitcode", "filename_effective", "http_code", "http_version", "method", "num_redirects", "redirect_url",
	"referer", "remote_ip", "remote_port", "response_code", "scheme", "size_download", "size_header", "size_upload", "speed_download",
	"time_starttransfer", "time_total", "url", "url_effective", "urlnum",
}

func (t *transfer) asJSON(p *problem) string {
	all := map[string]any{}
	for _, name := range jsonNames {
		value := variables[name](t, p)
		all[name] = value
		if n, err := strconv.ParseFloat(value, 64); err == nil && name != "http_version" {
			all[name] = n
		}
	}
	raw, _ := json.Marshal(all)
	return string(raw)
}

func (t *transfer) headerJSON() string {
	all := map[string][]string{}
	if t.response != nil {
		for _, header := range t.response.Headers {
			name := strings.ToLower(header[0])
			all[name] = append(all[name], header[1])
		}
	}
	raw, _ := json.MarshalIndent(all, "", "")
	return string(raw)
}

func (t *transfer) header(name string) string {
	if t.response == nil {
		return ""
	}
	return t.response.Header(name)
}

// own is a header of the request.
func (t *transfer) own(name string) string {
	for _, header := range t.headers {
		if strings.EqualFold(header[0], name) {
			return header[1]
		}
	}
	return ""
}

func (t *transfer) status() string {
	if t.response == nil {
		return "000"
	}
	return fmt.Sprintf("%03d", t.response.Status)
}

func (t *transfer) peer() (ip, port string) {
	if t.response == nil {
		return "", "0"
	}
	ip, port, err := net.SplitHostPort(t.response.Address)
	if err != nil {
		return t.response.Address, "0"
	}
	return ip, port
}

func (t *transfer) speed() string {
	return strconv.FormatInt(int64(float64(t.received)/max(time.Since(t.began).Seconds(), 1e-6)), 10)
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.6f", d.Seconds()) }
