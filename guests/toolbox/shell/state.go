package shell

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"

	"capbox/toolbox/abi"
)

// valueBytesMax bounds one variable, stateBytesMax all that one script hands to the next; larger ones are not kept.
const (
	valueBytesMax = 32 << 10
	stateBytesMax = 128 << 10
)

// defaults are variables every script starts with. HOME is the private scratch, so that no tool litters the workspace.
var defaults = map[string]string{
	"HOME": "/tmp", "TMPDIR": "/tmp", "PATH": "/usr/local/bin:/usr/bin:/bin", "SHELL": "/bin/bash", "USER": "user",
	"LOGNAME": "user", "LANG": "C.UTF-8", "TERM": "dumb",
}

// plain variables every script starts with, not exported.
var plain = map[string]string{
	"BASH_VERSION": "5.2.0(1)-capbox", "HOSTNAME": "capbox", "OSTYPE": "wasi", "MACHTYPE": "wasm32-capbox-wasi",
	"HOSTTYPE": "wasm32", "BASH": "/bin/bash",
}

// version is $BASH_VERSINFO.
var version = expand.Variable{
	Set: true, Kind: expand.Indexed, ReadOnly: true,
	List: []string{"5", "2", "0", "1", "capbox", "wasm32-capbox-wasi"},
}

// volatile variables belong to one script.
var volatile = map[string]bool{
	"PWD": true, "UID": true, "EUID": true, "GID": true, "IFS": true, "OPTIND": true, "OPTARG": true, "_": true,
	"REPLY": true, "RANDOM": true, "BASH_VERSION": true, "BASH_VERSINFO": true,
	"PIPESTATUS": true, "HOSTNAME": true, "OSTYPE": true, "OLDPWD": true, "MACHTYPE": true, "HOSTTYPE": true,
	"BASH": true, "SECONDS": true, "BASH_REMATCH": true, "OPTERR": true,
}

// state is what one script hands to the next of the same run, and the environment a script starts with.
type state struct {
	cwd        string
	requestCwd string
	base       map[string]string          // exported, from the request or the defaults
	vars       map[string]expand.Variable // set by earlier scripts, over base
	functions  string
}

// kept is the state as JSON.
type kept struct {
	Cwd       string             `json:"cwd"`
	Vars      map[string]keptVar `json:"vars,omitempty"`
	Functions string             `json:"functions,omitempty"`
}

type keptVar struct {
	Unset    bool              `json:"unset,omitempty"`
	Exported bool              `json:"exported,omitempty"`
	ReadOnly bool              `json:"readonly,omitempty"`
	Integer  bool              `json:"integer,omitempty"`
	Lower    bool              `json:"lower,omitempty"`
	Upper    bool              `json:"upper,omitempty"`
	Kind     expand.ValueKind  `json:"kind,omitempty"`
	Str      string            `json:"str,omitempty"`
	List     []string          `json:"list,omitempty"`
	Indexes  []int             `json:"indexes,omitempty"`
	Map      map[string]string `json:"map,omitempty"`
}

// restore reads the request's environment and state; a state that is not ours counts as none.
func restore(req *abi.Request) *state {
	s := &state{cwd: req.Cwd, requestCwd: req.Cwd, base: maps.Clone(defaults), vars: map[string]expand.Variable{}}
	maps.Copy(s.base, req.Env)
	for name, value := range plain {
		s.vars[name] = expand.Variable{Set: true, Kind: expand.String, Str: value}
	}
	s.vars["BASH_VERSINFO"] = version
	var last kept
	if len(req.State) == 0 || json.Unmarshal(req.State, &last) != nil {
		return s
	}
	if strings.HasPrefix(last.Cwd, "/") {
		s.cwd = last.Cwd
	}
	s.functions = last.Functions
	for name, v := range last.Vars {
		if !syntax.ValidName(name) {
			continue
		}
		if v.Unset {
			delete(s.base, name)
			continue
		}
		s.vars[name] = expand.Variable{
			Set: true, Exported: v.Exported, ReadOnly: v.ReadOnly, Integer: v.Integer, Lower: v.Lower, Upper: v.Upper, Kind: v.Kind,
			Str: v.Str, List: v.List, Indexes: v.Indexes, Map: v.Map,
		}
	}
	return s
}

// Get implements expand.Environ.
func (s *state) Get(name string) expand.Variable {
	if v, ok := s.vars[name]; ok {
		return v
	}
	if value, ok := s.base[name]; ok {
		return expand.Variable{Set: true, Exported: true, Kind: expand.String, Str: value}
	}
	return expand.Variable{}
}

// Each implements expand.Environ.
func (s *state) Each(visit func(string, expand.Variable) bool) {
	for name, value := range s.base {
		if !visit(name, expand.Variable{Set: true, Exported: true, Kind: expand.String, Str: value}) {
			return
		}
	}
	for name, v := range s.vars {
		if !visit(name, v) {
			return
		}
	}
}

// defineFunctions declares the functions of earlier scripts.
func (s *state) defineFunctions(ctx context.Context, runner *interp.Runner) {
	if s.functions == "" {
		return
	}
	file, err := syntax.NewParser().Parse(strings.NewReader(s.functions), "state")
	if err != nil {
		return
	}
	for _, statement := range file.Stmts {
		if _, ok := statement.Cmd.(*syntax.FuncDecl); ok {
			_ = runner.Run(ctx, statement)
		}
	}
}

// after is the state the finished runner leaves.
func (s *state) after(runner *interp.Runner) *kept {
	next := &kept{Cwd: runner.Dir, Vars: map[string]keptVar{}}
	budget := stateBytesMax
	for _, name := range slices.Sorted(maps.Keys(runner.Vars)) {
		v := runner.Vars[name]
		if volatile[name] || strings.HasPrefix(name, "BASH_FUNC_") || s.unchanged(name, v) {
			continue
		}
		if size := variableBytes(name, v); size > valueBytesMax || size > budget {
			continue
		} else {
			budget -= size
		}
		next.Vars[name] = keptVar{
			Unset: !v.Set, Exported: v.Exported, ReadOnly: v.ReadOnly, Integer: v.Integer, Lower: v.Lower, Upper: v.Upper, Kind: v.Kind,
			Str: v.Str, List: v.List, Indexes: v.Indexes, Map: v.Map,
		}
	}
	if functions := functionText(runner.Funcs); len(functions) <= budget {
		next.Functions = functions
	}
	return next
}

// unchanged says whether the variable is what the request's environment gives anyway. Those are not kept, so that a
// variable whose grant ends is gone with the next call.
func (s *state) unchanged(name string, v expand.Variable) bool {
	value, inBase := s.base[name]
	if !v.Set {
		return !inBase
	}
	return inBase && v.Exported && v.Kind == expand.String && v.Str == value
}

// bytes is the size of the state in the result.
func (k *kept) bytes() int {
	raw, err := json.Marshal(k)
	if err != nil {
		return 0
	}
	return len(raw)
}

func variableBytes(name string, v expand.Variable) int {
	size := len(name) + len(v.Str) + 16*len(v.Indexes) + 64
	for _, item := range v.List {
		size += len(item) + 4
	}
	for key, item := range v.Map {
		size += len(key) + len(item) + 8
	}
	return size
}

func functionText(functions map[string]*syntax.Stmt) string {
	var text strings.Builder
	printer := syntax.NewPrinter()
	for _, name := range slices.Sorted(maps.Keys(functions)) {
		declared := &syntax.FuncDecl{Parens: true, Name: &syntax.Lit{Value: name}, Body: functions[name]}
		if printer.Print(&text, declared) == nil {
			text.WriteString("\n")
		}
	}
	return text.String()
}
