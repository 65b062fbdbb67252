// Package abi is the JSON a tool and its host exchange: one request on stdin, one result on stdout.
//
// It guarantees that what it writes is one valid JSON object, whatever bytes a tool produced.
// It does not run tools and knows none of them.
package abi

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"reflect"
	"strings"
)

// OutputBytesDefault bounds a tool's text when the request names no bound.
const OutputBytesDefault = 64 << 10

// Request is one call of one tool. Cwd is absolute; State is what the tool returned last in this run; Settings are what
// the operator configured for this tool, if anything.
type Request struct {
	Tool      string            `json:"tool"`
	Arguments json.RawMessage   `json:"arguments"`
	Cwd       string            `json:"cwd"`
	Env       map[string]string `json:"env"`
	State     json.RawMessage   `json:"state"`
	Settings  json.RawMessage   `json:"settings"`
	Call      Call              `json:"call"`
}

// Call carries what concerns this one call: its id, time left in milliseconds, and the bound of its output in bytes.
type Call struct {
	ID             string `json:"id"`
	DeadlineMS     int64  `json:"deadline_ms"`
	OutputBytesMax int    `json:"output_bytes_max"`
}

// Result is what a tool answers. Error is set exactly when OK is false.
type Result struct {
	OK        bool   `json:"ok"`
	Content   string `json:"content"`
	Data      any    `json:"data,omitempty"`
	State     any    `json:"state,omitempty"`
	Error     *Error `json:"error,omitempty"`
	Truncated bool   `json:"truncated,omitempty"`
}

// Error says why a call failed: a short machine-readable code, and a sentence for the model.
type Error struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Read takes the request from the reader, which must hold exactly one JSON object.
func Read(in io.Reader) (*Request, error) {
	decoder := json.NewDecoder(in)
	req := &Request{}
	if err := decoder.Decode(req); err != nil {
		return nil, fmt.Errorf("the request is not a JSON object: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("the request is followed by more than one object")
	}
	if req.Cwd == "" {
		req.Cwd = "/workspace"
	}
	if req.Call.OutputBytesMax <= 0 {
		req.Call.OutputBytesMax = OutputBytesDefault
	}
	return req, nil
}

// Write puts the result on the writer. Bytes that are not UTF-8 become U+FFFD.
func Write(out io.Writer, res Result) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(res)
}

// OK is a success with the text a model reads and optional data for programs.
func OK(content string, data any) Result {
	return Result{OK: true, Content: content, Data: data}
}

// Fail is a failure with a code and a formatted message.
func Fail(code, format string, args ...any) Result {
	return Result{Error: &Error{Code: code, Message: fmt.Sprintf(format, args...)}}
}

// Arguments decodes the request's arguments into `into`; an unknown or ill-typed argument is a failure.
// The second result is true when decoding worked.
func Arguments(req *Request, into any) (Result, bool) {
	decoder := json.NewDecoder(bytesReader(plainIntegers(req.Arguments)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return Fail("invalid_arguments", "%s: %s", req.Tool, misfit(err)), false
	}
	return Result{}, true
}

// misfit is why arguments do not decode, without Go's words for its types.
func misfit(err error) string {
	var typed *json.UnmarshalTypeError
	if !errors.As(err, &typed) {
		return strings.TrimPrefix(err.Error(), "json: ")
	}
	name := typed.Field
	if name == "" {
		name = "the arguments"
	}
	want := map[reflect.Kind]string{
		reflect.Int: "an integer", reflect.String: "a text", reflect.Bool: "true or false", reflect.Slice: "a list", reflect.Struct: "an object",
	}[typed.Type.Kind()]
	if digits, ok := strings.CutPrefix(typed.Value, "number "); ok && want == "an integer" {
		return fmt.Sprintf("%s: %s is no integer, or too large a one.", name, digits)
	}
	return fmt.Sprintf("%s: expected %s, not %s.", name, cmp.Or(want, "another type"), typed.Value)
}

// FromError maps an error of the file system to a failure that names the path as the model wrote it.
func FromError(path string, err error) Result {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Fail("not_found", "%s: No such file or directory", path)
	case Refused(err):
		return Fail("permission_denied", "%s: Permission denied", path)
	case errors.Is(err, fs.ErrExist):
		return Fail("exists", "%s: File exists", path)
	}
	return Fail("io", "%s: %s", path, Reason(err))
}
