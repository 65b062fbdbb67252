// Package program is the way to the functions of the program that embeds capbox: the host calls them, if it was granted.
//
// It guarantees that arguments go to the host as they are written, and that an error carries the host's code and its
// sentence. It reads no arguments and grants nothing: which function may be called with which values is decided by the
// host, for each call.
package program

import (
	"encoding/json"
	"fmt"
	"strings"
)

// ArgumentsMax is how many bytes of arguments the host takes.
const ArgumentsMax = 1 << 20

// The host's codes that a caller tells apart.
const (
	Denied    = "denied"
	Stopped   = "stopped_by_person"
	Limit     = "limit" // of what a call may ask for
	Unknown   = "unknown_tool"
	Arguments = "invalid_arguments"
)

// Result is what a function said; it is Truncated where the host's bound on output cut it.
type Result struct {
	Content   string `json:"content"`
	Truncated bool   `json:"truncated"`
}

// Error is why there is no result.
type Error struct {
	Code    string  `json:"code"`
	Message string  `json:"message"`
	Missing *string `json:"missing"` // the grant that would have allowed it
}

// Error implements error: the host's sentence, and for a denial the missing grant.
func (e *Error) Error() string {
	if e.Missing == nil || strings.Contains(e.Message, *e.Missing) {
		return e.Message
	}
	return strings.TrimRight(e.Message, ". ") + " (missing grant: " + *e.Missing + ")"
}

// Host is who calls functions. The one of the sandbox is the import; tests bring their own.
type Host interface {
	// Call gives the JSON of a result or an error.
	Call(name string, arguments []byte) ([]byte, error)
	// List gives the JSON of what may be called, or of an error.
	List() ([]byte, error)
}

// Use lets another host answer, until the function that it returns is called.
func Use(host Host) (restore func()) {
	before := caller
	caller = host
	return func() { caller = before }
}

// Call calls a function with a JSON object. An error is an *Error, or one of the import itself.
func Call(name string, arguments []byte) (*Result, error) {
	var reply struct {
		Result
		Error *Error `json:"error"`
	}
	answer, err := caller.Call(name, arguments)
	if err := read(answer, err, &reply); err != nil {
		return nil, err
	}
	if reply.Error != nil {
		return nil, reply.Error
	}
	return &reply.Result, nil
}

// List gives one JSON object for each function that may be called now: name, description, input_schema, grants.
func List() ([]json.RawMessage, error) {
	var reply struct {
		Functions []json.RawMessage `json:"functions"`
		Error     *Error            `json:"error"`
	}
	answer, err := caller.List()
	if err := read(answer, err, &reply); err != nil {
		return nil, err
	}
	if reply.Error != nil {
		return nil, reply.Error
	}
	return reply.Functions, nil
}

func read(answer []byte, failed error, into any) error {
	if failed != nil {
		return fmt.Errorf("the host does not take it: %w", failed)
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return fmt.Errorf("the host's answer cannot be read: %w", err)
	}
	return nil
}
