package network

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"mime/multipart"
	"net/textproto"
	"net/url"
	"path"
	"strings"

	"capbox/toolbox/commands/kit"
	"capbox/toolbox/web"
)

func basic(user string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(user)) }

// readBody reads what -d, --json, -F and -T send.
func (r *curl) readBody() *problem {
	var body []byte
	form := &form{}
	kinds := map[string]bool{}
	for _, one := range r.opts.List {
		var piece []byte
		var err error
		separator := "&"
		switch one.Key {
		case "d":
			piece, err = r.data(one.Value, true)
		case "data-binary":
			piece, err = r.data(one.Value, false)
		case "data-raw":
			piece = []byte(one.Value)
		case "data-urlencode":
			piece, err = r.encoded(one.Value)
		case "json":
			piece, err = r.data(one.Value, false)
			separator = ""
		case "F", "form-string":
			kinds["-F"] = true
			if err = form.add(r.c, one.Value, one.Key == "F"); err != nil {
				return failing(26, "Failed to read -F %s: %s", one.Value, reason(err))
			}
			continue
		case "T":
			kinds["-T"] = true
			continue
		default:
			continue
		}
		if err != nil {
			return failing(26, "Failed to open %s: %s", strings.TrimLeft(one.Value, "@="), reason(err))
		}
		if r.hasBody && separator != "" {
			body = append(body, separator...)
		}
		body = append(body, piece...)
		r.hasBody, kinds["-d"] = true, true
	}
	if len(kinds) > 1 {
		return failing(curlUsage, "You can only select one HTTP request method: of -d, -F and -T only one goes")
	}
	switch {
	case len(body) > uploadBytesMax || form.text.Len() > uploadBytesMax:
		return failing(26, "more than %d MB cannot be sent", uploadBytesMax>>20)
	case kinds["-F"]:
		r.body, r.hasBody = form.finished(), true
		r.usual("Content-Type", form.parts.FormDataContentType())
	case r.hasBody:
		r.body = body
		if !r.opts.Has("G") {
			r.usual("Content-Type", "application/x-www-form-urlencoded")
		}
	}
	return nil
}

// usual adds a header unless the options have set it.
func (r *curl) usual(name, value string) {
	for _, header := range r.headers {
		if strings.EqualFold(header[0], name) {
			return
		}
	}
	r.headers = append(r.headers, [2]string{name, value})
}

// data is the value of -d or --data-binary: text, or @FILE.
func (r *curl) data(value string, stripped bool) ([]byte, error) {
	name, file := strings.CutPrefix(value, "@")
	if !file {
		return []byte(value), nil
	}
	raw, err := upload(r.c, name)
	if stripped {
		raw = bytes.Map(func(char rune) rune {
			if char == '\r' || char == '\n' || char == 0 {
				return -1
			}
			return char
		}, raw)
	}
	return raw, err
}

// encoded is the value of --data-urlencode: CONTENT, =CONTENT, NAME=CONTENT, @FILE or NAME@FILE.
func (r *curl) encoded(value string) ([]byte, error) {
	at := strings.IndexAny(value, "=@")
	if at < 0 {
		return []byte(url.QueryEscape(value)), nil
	}
	name, content := value[:at], []byte(value[at+1:])
	if value[at] == '@' {
		var err error
		if content, err = upload(r.c, value[at+1:]); err != nil {
			return nil, err
		}
	}
	if name != "" {
		name += "="
	}
	return []byte(name + url.QueryEscape(string(content))), nil
}

// form is what -F collects.
type form struct {
	text  bytes.Buffer
	parts *multipart.Writer
}

// add is one -F: NAME=CONTENT, NAME=@FILE or NAME=<FILE, each with ;type= and ;filename=.
func (f *form) add(c *kit.Call, text string, marks bool) error {
	if f.parts == nil {
		f.parts = multipart.NewWriter(&f.text)
		_ = f.parts.SetBoundary("------------------------" + kit.RandomText(22))
	}
	name, value, ok := strings.Cut(text, "=")
	if !ok {
		return fmt.Errorf("it is no NAME=CONTENT")
	}
	kind, file, content := "", "", []byte(value)
	if marks {
		value, kind, file = settings(value)
		content = []byte(value)
		var err error
		switch {
		case strings.HasPrefix(value, "@"):
			if content, err = upload(c, value[1:]); err != nil {
				return err
			}
			if file == "" {
				file = path.Base(value[1:])
			}
			if kind == "" {
				kind = kindOf(file)
			}
		case strings.HasPrefix(value, "<"):
			if content, err = upload(c, value[1:]); err != nil {
				return err
			}
		}
	}
	return f.part(name, file, kind, content)
}

// part writes one part of the form.
func (f *form) part(name, file, kind string, content []byte) error {
	words := strings.NewReplacer("\\", "\\\\", `"`, "%22", "\r", "%0D", "\n", "%0A")
	disposition := `form-data; name="` + words.Replace(name) + `"`
	if file != "" {
		disposition += `; filename="` + words.Replace(file) + `"`
	}
	head := textproto.MIMEHeader{"Content-Disposition": {disposition}}
	if kind != "" {
		head.Set("Content-Type", kind)
	}
	part, err := f.parts.CreatePart(head)
	if err == nil {
		_, err = part.Write(content)
	}
	return err
}

// settings takes ;type= and ;filename= off the end of a value.
func settings(value string) (content, kind, file string) {
	for {
		at := strings.LastIndexByte(value, ';')
		if at < 0 {
			return value, kind, file
		}
		key, setting, _ := strings.Cut(strings.TrimSpace(value[at+1:]), "=")
		switch key {
		case "type":
			kind = setting
		case "filename":
			file = strings.Trim(setting, `"`)
		default:
			return value, kind, file
		}
		value = value[:at]
	}
}

// kinds are media types by extension. Package mime has more, and looks for the tables of the machine: each look would be
// a refusal on record.
var kinds = map[string]string{
	".css": "text/css", ".csv": "text/csv", ".gif": "image/gif", ".gz": "application/gzip", ".htm": "text/html", ".html": "text/html",
	".jpeg": "image/jpeg", ".jpg": "image/jpeg", ".js": "text/javascript", ".json": "application/json", ".md": "text/markdown",
	".mp3": "audio/mpeg", ".mp4": "video/mp4", ".pdf": "application/pdf", ".png": "image/png", ".svg": "image/svg+xml",
	".tar": "application/x-tar", ".txt": "text/plain", ".wasm": "application/wasm", ".webp": "image/webp", ".xml": "application/xml",
	".yaml": "application/yaml", ".yml": "application/yaml", ".zip": "application/zip",
}

// kindOf is the media type of a file's name.
func kindOf(name string) string {
	if kind, ok := kinds[strings.ToLower(path.Ext(name))]; ok {
		return kind
	}
	return "application/octet-stream"
}

func (f *form) finished() []byte {
	_ = f.parts.Close()
	return f.text.Bytes()
}

// request is the first request for a URL.
func (t *transfer) request(text string) (*web.Request, *problem) {
	text, problem := t.urlOf(text)
	if problem != nil {
		return nil, problem
	}
	address, err := web.Canonical(text)
	if err != nil {
		return nil, failing(3, "URL using bad/illegal format or missing URL: %s", err)
	}
	request := &web.Request{Method: "GET", Headers: t.headers, Decode: t.opts.Has("compressed"), ConnectTimeout: t.connect, Context: t.c.Context}
	if user := address.User; user != nil {
		password, _ := user.Password()
		request.Headers = append(request.Headers[:len(request.Headers):len(request.Headers)],
			[2]string{"Authorization", basic(user.Username() + ":" + password)})
		address.User = nil
	}
	for _, one := range t.opts.List {
		if one.Key == "url-query" {
			piece, err := t.encoded(one.Value)
			if err != nil {
				return nil, failing(26, "Failed to open %s: %s", one.Value, reason(err))
			}
			address.RawQuery = joined(address.RawQuery, string(piece))
		}
	}
	switch {
	case t.hasBody && t.opts.Has("G"):
		address.RawQuery = joined(address.RawQuery, string(t.body))
	case t.hasBody:
		request.Method, request.Body = "POST", t.body
	}
	if name, given := t.opts.Value("T"); given {
		request.Method = "PUT"
		if request.Body, err = upload(t.c, name); err != nil {
			return nil, failing(26, "Can't open '%s': %s", name, reason(err))
		}
		if strings.HasSuffix(address.Path, "/") && name != "-" {
			address = address.JoinPath(url.PathEscape(path.Base(name)))
		}
	}
	if t.opts.Has("I") {
		request.Method = "HEAD"
	}
	if method, given := t.opts.Value("X"); given {
		request.Method = method
	}
	if address, err = web.Canonical(address.String()); err != nil {
		return nil, failing(3, "%s", err)
	}
	request.URL = address.String()
	if problem := t.addCookies(request, address); problem != nil {
		return nil, problem
	}
	request.Headers = t.completed(request.Headers)
	return request, nil
}

func joined(query, more string) string {
	if query == "" || more == "" {
		return query + more
	}
	return query + "&" + more
}

// completed adds the headers that curl always sends, and leaves out those that were taken away.
func (t *transfer) completed(given [][2]string) [][2]string {
	all := [][2]string{{"User-Agent", "curl/8 (capbox)"}, {"Accept", "*/*"}}
	var out [][2]string
	for _, one := range all {
		overridden := false
		for _, header := range given {
			overridden = overridden || strings.EqualFold(header[0], one[0])
		}
		if !overridden {
			out = append(out, one)
		}
	}
	for _, header := range given {
		if header[1] != removed {
			out = append(out, header)
		}
	}
	return out
}
