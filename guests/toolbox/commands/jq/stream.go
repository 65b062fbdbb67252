package jq

import (
	"encoding/json"
	"io"
	"slices"
)

// recordSeparator stands before each text of --seq (RFC 7464).
const recordSeparator = 0x1e

// withoutSeparators reads record separators as blanks.
type withoutSeparators struct{ in io.Reader }

func (w withoutSeparators) Read(into []byte) (int, error) {
	n, err := w.in.Read(into)
	for i, b := range into[:n] {
		if b == recordSeparator {
			into[i] = ' '
		}
	}
	return n, err
}

// jqEvents are the events of --stream: [path, leaf] for what holds nothing, and [path] where an array or object ends
// whose last member path names. Nothing but the path is held.
type jqEvents struct {
	decoder *json.Decoder
	path    []any  // of open containers: the index or key of the member that is read
	kinds   []byte // '[' or '{' for each
	fresh   bool   // whether the innermost container has no member yet
}

func (e *jqEvents) next() (any, error) {
	for {
		token, err := e.decoder.Token()
		if err == io.EOF && len(e.kinds) > 0 {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return nil, err
		}
		switch mark := token.(type) {
		case json.Delim:
			if mark == '[' || mark == '{' {
				e.enter()
				e.kinds = append(e.kinds, byte(mark))
				e.path = append(e.path, nil)
				e.fresh = true
				continue
			}
			if event := e.leave(mark); event != nil {
				return event, nil
			}
		case string:
			if e.keyNext() {
				e.path[len(e.path)-1] = mark
				e.fresh = false
				// The value follows; a key of the same name must not be taken for one.
				value, err := e.value()
				if err != nil || value != nil {
					return value, err
				}
				continue
			}
			e.enter()
			return e.leaf(mark), nil
		default:
			e.enter()
			return e.leaf(plainNumbers(token)), nil
		}
	}
}

// keyNext says whether a text is a key: in an object every text that next sees is one.
func (e *jqEvents) keyNext() bool { return len(e.kinds) > 0 && e.kinds[len(e.kinds)-1] == '{' }

// value reads what a key stands for; nil if a container begins, which is gone into.
func (e *jqEvents) value() (any, error) {
	token, err := e.decoder.Token()
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, err
	}
	mark, opens := token.(json.Delim)
	if !opens {
		return e.leaf(plainNumbers(token)), nil
	}
	e.kinds = append(e.kinds, byte(mark))
	e.path = append(e.path, nil)
	e.fresh = true
	return nil, nil
}

// enter counts a member of an array.
func (e *jqEvents) enter() {
	if len(e.kinds) == 0 || e.kinds[len(e.kinds)-1] != '[' {
		return
	}
	if at, counted := e.path[len(e.path)-1].(int); counted {
		e.path[len(e.path)-1] = at + 1
	} else {
		e.path[len(e.path)-1] = 0
	}
	e.fresh = false
}

func (e *jqEvents) leaf(value any) any { return []any{slices.Clone(e.path), value} }

// leave ends a container: an empty one is a leaf, another closes with the path of its last member.
func (e *jqEvents) leave(mark json.Delim) any {
	inner := slices.Clone(e.path)
	e.path, e.kinds = e.path[:len(e.path)-1], e.kinds[:len(e.kinds)-1]
	empty := e.fresh
	e.fresh = false
	if !empty {
		return []any{inner}
	}
	if mark == ']' {
		return e.leaf([]any{})
	}
	return e.leaf(map[string]any{})
}
