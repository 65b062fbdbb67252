package network

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"path"
	"strconv"

	"capbox/toolbox/web"
)

// answer judges a response's status and saves its body.
func (w *wget) answer(request *web.Request, response *web.Response, name string) int {
	if status := response.Status; status >= 400 {
		if w.opts.Has("spider") {
			w.say("Remote file does not exist -- broken link!!!\n\n")
		}
		if !w.opts.Has("q") {
			fmt.Fprintf(w.c.Err(), "%s ERROR %d: %s.\n", now(), status, response.Reason)
		}
		code := wgetServer
		if status == 401 {
			code = wgetLogin
		}
		if !w.opts.Has("content-on-error") {
			return code
		}
		if failed := w.save(request, response, name); failed != 0 {
			return failed
		}
		return code
	}
	w.say("Length: %s [%s]\n", length(response), response.Header("Content-Type"))
	if w.opts.Has("spider") {
		w.say("Remote file exists.\n\n")
		return 0
	}
	return w.save(request, response, name)
}

func length(response *web.Response) string {
	if response.Length == nil {
		return "unspecified"
	}
	return strconv.FormatInt(*response.Length, 10)
}

// save writes the body to its file, or to that of -O.
func (w *wget) save(request *web.Request, response *web.Response, name string) int {
	out, name, err := w.open(response, name)
	if err != nil {
		return w.fail(wgetFile, "%s: %s", name, reason(err))
	}
	w.say("Saving to: '%s'\n\n", name)
	body := &counted{in: response.Body}
	_, err = io.CopyBuffer(struct{ io.Writer }{out}, body, make([]byte, copyBytes))
	if closing := out.Close(); err == nil {
		err = closing
	}
	switch {
	case body.failure != nil:
		return w.broken(request.URL, body.failure)
	case err != nil:
		return w.fail(wgetFile, "%s: %s", name, reason(err))
	}
	of := length(response)
	if response.Length == nil {
		of = strconv.FormatInt(body.bytes, 10)
	}
	if w.terse && !w.opts.Has("q") {
		fmt.Fprintf(w.c.Err(), "%s URL:%s [%d/%s] -> \"%s\" [1]\n", now(), request.URL, body.bytes, of, name)
	}
	w.say("%s - '%s' saved [%d/%s]\n\n", now(), name, body.bytes, of)
	return 0
}

// open opens the file for a body. All bodies go to the one of -O, one after the other.
func (w *wget) open(response *web.Response, name string) (io.WriteCloser, string, error) {
	if one, given := w.opts.Value("O"); given {
		if one == "-" {
			return open{w.c.Out, func() error { return nil }}, "STDOUT", nil
		}
		create := w.c.Create
		if w.begun {
			create = w.c.Append
		}
		w.begun = true
		file, err := create(one)
		return file, one, err
	}
	if w.opts.Has("content-disposition") {
		_, words, err := mime.ParseMediaType(response.Header("Content-Disposition"))
		if said := safeName(words["filename"]); err == nil && said != "" {
			name = path.Join(path.Dir(name), said)
		}
	}
	if err := w.c.MakeParents(path.Dir(w.c.Path(name))); err != nil {
		return nil, name, err
	}
	name = w.free(name)
	file, err := w.c.Create(name)
	return file, name, err
}

// counted counts a body, and remembers why it ended, to tell it from why a file could not be written.
type counted struct {
	in      io.Reader
	bytes   int64
	failure error
}

// Read implements io.Reader.
func (c *counted) Read(into []byte) (int, error) {
	n, err := c.in.Read(into)
	c.bytes += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		c.failure = err
	}
	return n, err
}
