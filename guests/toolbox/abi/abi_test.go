package abi

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestAnIntegerIsOneInEveryForm(t *testing.T) {
	for _, c := range []struct{ raw, want, problem string }{
		{`{"n":2}`, "2", ""},
		{`{"n":2.0}`, "2", ""},
		{`{"n":1e3}`, "1000", ""},
		{`{"n":-20E-1,"s":"1e3 \\\"2.0"}`, `-2 1e3 \"2.0`, ""},
		{`{"list":[{"n":3.00},{"n":0.0}]}`, "0 3 0", ""},
		{`{"n":2.5}`, "", "tool: n: 2.5 is no integer, or too large a one."},
		{`{"n":1e30}`, "", "tool: n: 1e30 is no integer, or too large a one."},
		{`{"n":99999999999999999999}`, "", "tool: n: 99999999999999999999 is no integer, or too large a one."},
		{`{"list":[{"n":1.5}]}`, "", "tool: list.n: 1.5 is no integer, or too large a one."},
		{`{"n":"2"}`, "", "tool: n: expected an integer, not string."},
		{`{"s":2.0}`, "", "tool: s: expected a text, not number."},
		{`[1.0]`, "", "tool: the arguments: expected an object, not array."},
		{`{"m":1}`, "", `tool: unknown field "m"`},
	} {
		var args struct {
			N    int    `json:"n"`
			S    string `json:"s"`
			List []struct {
				N int `json:"n"`
			} `json:"list"`
		}
		bad, ok := Arguments(&Request{Tool: "tool", Arguments: json.RawMessage(c.raw)}, &args)
		if !ok {
			if bad.Error.Code != "invalid_arguments" || bad.Error.Message != c.problem {
				t.Errorf("%s: %+v", c.raw, bad.Error)
			}
			continue
		}
		got := strings.TrimSpace(jsonOf(args.N) + " " + args.S)
		for _, one := range args.List {
			got += " " + jsonOf(one.N)
		}
		if got != c.want || c.problem != "" {
			t.Errorf("%s: %s", c.raw, got)
		}
	}
}

func jsonOf(n int) string {
	text, _ := json.Marshal(n)
	return string(text)
}
