package running

import (
	"bytes"
	"context"
	"strings"
	"syscall"
	"testing"

	"capbox/toolbox/commands/kit"
	"capbox/toolbox/program"
)

// desk answers as the host would, and keeps what it was asked.
type desk struct {
	answer string
	err    error
	asked  []string
}

func (d *desk) Call(name string, arguments []byte) ([]byte, error) {
	d.asked = append(d.asked, name+" "+string(arguments))
	return []byte(d.answer), d.err
}

func (d *desk) List() ([]byte, error) {
	d.asked = append(d.asked, "list")
	return []byte(d.answer), d.err
}

func refusal(code string) string {
	return `{"error": {"code": "` + code + `", "message": "because.", "missing": null}}`
}

func TestInvoke(t *testing.T) {
	long := strings.Repeat("x", program.ArgumentsMax+1)
	for name, test := range map[string]struct {
		words         string
		stdin, answer string
		err           error
		asked         string
		status        int
		out, told     string
	}{
		"a result":         {`ping {"a":1}`, "", `{"content": "pong"}`, nil, `ping {"a":1}`, 0, "pong\n", ""},
		"ends its line":    {`ping {}`, "", `{"content": "pong\n"}`, nil, "ping {}", 0, "pong\n", ""},
		"says nothing":     {`ping {}`, "", `{"content": ""}`, nil, "ping {}", 0, "\n", ""},
		"from stdin":       {`ping`, ` {"a": 2} `, `{"content": "2"}`, nil, `ping  {"a": 2} `, 0, "2\n", ""},
		"nothing on stdin": {`ping`, "\n", `{"content": "0"}`, nil, "ping {}", 0, "0\n", ""},
		"as it is":         {`ping {"a":1,"a":2}`, "", refusal("invalid_arguments"), nil, `ping {"a":1,"a":2}`, 2, "", "invoke: ping: because.\n"},
		"cut":              {`ping {}`, "", `{"content": "po", "truncated": true}`, nil, "ping {}", 3, "po\n", "invoke: ping: the function is done; what it said is too long, and cut\n"},
		"failed":           {`ping {}`, "", refusal("function_failed"), nil, "ping {}", 1, "", "invoke: ping: because.\n"},
		"late":             {`ping {}`, "", refusal("time"), nil, "ping {}", 1, "", "invoke: ping: because.\n"},
		"refused": {`ping {}`, "", `{"error": {"code": "denied", "message": "refused.", "missing": "invoke:ping"}}`, nil,
			"ping {}", 126, "", "invoke: ping: refused (missing grant: invoke:ping)\n"},
		"stopped":        {`ping {}`, "", refusal("stopped_by_person"), nil, "ping {}", 126, "", "invoke: ping: because.\n"},
		"too many":       {`ping {}`, "", refusal("limit"), nil, "ping {}", 126, "", "invoke: ping: because.\n"},
		"not there":      {`pong {}`, "", refusal("unknown_tool"), nil, "pong {}", 2, "", "invoke: pong: because.\n"},
		"no host":        {`ping {}`, "", "", syscall.ENOSYS, "ping {}", 1, "", "invoke: ping: the host does not take it: function not implemented\n"},
		"no answer":      {`ping {}`, "", "{", nil, "ping {}", 1, "", "invoke: ping: the host's answer cannot be read: unexpected end of JSON input\n"},
		"too long":       {`ping`, long, "", nil, "", 2, "", "invoke: ping: the arguments are longer than 1048576 bytes\n"},
		"no name":        {``, "", "", nil, "", 2, "", "invoke: missing operand\nTry 'invoke --help' for more information.\n"},
		"words":          {`ping to=alice x=1`, "", "", nil, "", 2, "", "invoke: extra operand 'x=1': the arguments are one JSON object, in quotes\nTry 'invoke --help' for more information.\n"},
		"list and name":  {`--list ping`, "", "", nil, "", 2, "", "invoke: extra operand 'ping'\nTry 'invoke --help' for more information.\n"},
		"a list":         {`--list`, "", `{"functions": [{"name": "a"}, {"name": "b"}]}`, nil, "list", 0, "{\"name\": \"a\"}\n{\"name\": \"b\"}\n", ""},
		"an empty list":  {`-l`, "", `{"functions": []}`, nil, "list", 0, "", "invoke: no function is granted to what runs here\n"},
		"a list refused": {`-l`, "", refusal("limit"), nil, "list", 126, "", "invoke: because.\n"},
	} {
		t.Run(name, func(t *testing.T) {
			host := &desk{answer: test.answer, err: test.err}
			defer program.Use(host)()
			var out, told bytes.Buffer
			words := append([]string{"invoke"}, strings.Fields(test.words)...)
			c := kit.New(context.Background(), words, kit.Streams{In: strings.NewReader(test.stdin), Out: &out, Err: &told})
			status := Invoke(c)
			c.Out.Flush()
			if status != test.status || out.String() != test.out || told.String() != test.told {
				t.Errorf("%d %q %q", status, out.String(), told.String())
			}
			if asked := strings.Join(host.asked, "; "); asked != test.asked {
				t.Errorf("asked %q", asked)
			}
		})
	}
}
