package interp

import (
	"context"
	"maps"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// declaration is one run of declare, typeset, local, export, readonly or nameref.
type declaration struct {
	r       *Runner
	name    string // of the builtin
	on, off string // the letters of attributes to give and to take
	kind    string // "-a", "-A", "-n" or ""
	local   bool
	global  bool
	print   bool // -p
	funcs   bool // -f
	names   bool // -F
	words   []*syntax.Assign
}

// declare runs a declaration builtin.
func (r *Runner) declare(ctx context.Context, clause *syntax.DeclClause) {
	d := &declaration{r: r, name: clause.Variant.Value}
	switch d.name {
	case "declare", "typeset":
		d.local = r.inFunc
	case "local":
		if !r.inFunc {
			r.exit = r.failed(1, "local: can only be used in a function")
			return
		}
		d.local = true
	case "export":
		d.on = "x"
	case "readonly":
		d.on = "r"
	case "nameref":
		d.kind = "-n"
	}
	if !d.parse(clause) {
		return
	}
	if d.global {
		d.local = false
	}
	switch {
	case d.funcs || d.names:
		d.functions()
	case len(d.words) == 0:
		d.list()
	default:
		for _, word := range d.words {
			d.one(word)
			if r.exit.exiting {
				return
			}
		}
	}
}

// parse takes the options off the words; false means it failed.
func (d *declaration) parse(clause *syntax.DeclClause) bool {
	options := true
	for as := range d.r.flattenAssigns(clause.Args) {
		word := as.Name.Value
		if options && as.Naked && as.Index == nil && len(word) > 1 && (word[0] == '-' || word[0] == '+') {
			if word == "--" {
				options = false
				continue
			}
			if !d.options(word) {
				return false
			}
			continue
		}
		if d.name == "local" && word == "-" && as.Naked {
			d.r.saveOptions()
			continue
		}
		options = false
		d.words = append(d.words, as)
	}
	return !d.r.exit.exiting
}

func (d *declaration) options(word string) bool {
	for _, letter := range word[1:] {
		switch {
		case strings.ContainsRune("xrilut", letter):
			if d.name == "export" && letter == 'x' {
				continue
			}
			if word[0] == '-' {
				d.on += string(letter)
			} else {
				d.off += string(letter)
			}
		case letter == 'n' && d.name == "export":
			d.on, d.off = "", d.off+"x"
		case strings.ContainsRune("aAn", letter):
			d.kind = word[:1] + string(letter)
		case letter == 'g':
			d.global = true
		case letter == 'p':
			d.print = true
		case letter == 'f':
			d.funcs = true
		case letter == 'F':
			d.names = true
		case letter == 'I':
		default:
			d.r.complain("%s: %s%c: invalid option", d.name, word[:1], letter)
			d.r.exit.code = 2
			return false
		}
	}
	return true
}

// functions serves -f and -F.
func (d *declaration) functions() {
	r := d.r
	if len(d.words) == 0 {
		for _, name := range slices.Sorted(maps.Keys(r.Funcs)) {
			if d.names {
				r.outf("declare -f %s\n", name)
			} else {
				r.out(functionSource(name, r.Funcs[name]))
			}
		}
		return
	}
	for _, word := range d.words {
		name := word.Name.Value
		switch body := r.Funcs[name]; {
		case body == nil:
			if d.name == "export" || d.name == "readonly" {
				r.complain("%s: %s: not a function", d.name, name)
			}
			r.exit.code = 1
		case d.name == "export":
			r.exportFunction(name, !strings.Contains(d.off, "x"))
		case d.name == "readonly":
		case d.names:
			r.outf("%s\n", name)
		default:
			r.out(functionSource(name, body))
		}
	}
}

// list prints the variables that have the attributes asked for.
func (d *declaration) list() {
	r := d.r
	seen := map[string]expand.Variable{}
	for name, vr := range r.writeEnv.Each {
		seen[name] = vr
	}
	for _, name := range slices.Sorted(maps.Keys(seen)) {
		vr := seen[name]
		if !vr.Declared() || !syntax.ValidName(name) || d.name == "local" && !vr.Local {
			continue
		}
		flags := vr.Flags()
		if strings.Trim(d.on+strings.Trim(d.kind, "+-"), flags) != "" {
			continue
		}
		switch {
		case d.print || d.on != "" || d.kind != "":
			r.out(expand.Declaration(name, vr) + "\n")
		case vr.Set && vr.Kind == expand.String:
			r.outf("%s=%s\n", name, quoteBash(vr.Str))
		case vr.Set:
			r.outf("%s=%s\n", name, expand.Assigned(vr))
		}
	}
}

// one declares, or prints, one name.
func (d *declaration) one(as *syntax.Assign) {
	r, name := d.r, as.Name.Value
	if base, sub, ok := cutElemSubscript(name); ok && as.Naked {
		_ = sub // `declare a[3]` makes an array
		name, d.kind = base, "-a"
	}
	if !syntax.ValidName(name) {
		whole := name
		if !as.Naked {
			whole += "=" + as.Value.Lit()
		}
		r.complain("%s: `%s': not a valid identifier", d.name, whole)
		r.exit.code = 1
		return
	}
	if d.print && as.Naked {
		vr := r.lookupVar(name)
		if !vr.Declared() {
			r.complain("%s: %s: not found", d.name, name)
			r.exit.code = 1
			return
		}
		r.out(expand.Declaration(name, vr) + "\n")
		return
	}
	prev := r.lookupVar(name)
	if prev.ReadOnly && (!as.Naked || strings.Contains(d.off, "r")) {
		r.complain("%s: %s: readonly variable", d.name, name)
		r.exit.code = 1
		return
	}
	d.declareVariable(name, prev, as)
}

// declareVariable sets attributes and value.
func (d *declaration) declareVariable(name string, prev expand.Variable, as *syntax.Assign) {
	r := d.r
	if prev.Kind == expand.NameRef && d.kind != "-n" && d.kind != "+n" {
		if target, vr := prev.Resolve(r.writeEnv); syntax.ValidName(target) && !d.local {
			name, prev = target, vr
		}
	}
	vr := prev
	if d.local && !r.isLocal(name) {
		vr = expand.Variable{Exported: prev.Exported}
		if as.Append {
			vr.Kind, vr.Str, vr.Set = prev.Kind, prev.Str, prev.Set
			vr.List, vr.Indexes, vr.Map = prev.List, prev.Indexes, prev.Map
		}
	}
	vr.Local = d.local
	setFlags(&vr, d.on, true)
	setFlags(&vr, d.off, false)
	readOnly := vr.ReadOnly
	vr.ReadOnly = prev.ReadOnly && !d.local
	d.convert(&vr)
	if as.Naked && vr.Kind == expand.Unknown {
		vr.Kind = expand.String // declared, but not set
	}
	if !as.Naked {
		valType := ""
		if strings.HasPrefix(d.kind, "-") {
			valType = d.kind
		}
		before := vr
		before.Local = false
		index := as.Index
		plain := *as
		plain.Index = nil
		_, assigned := r.assignVal(name, vr, &plain, valType)
		if r.exit.exiting {
			return
		}
		if d.kind == "-n" {
			assigned.Kind = expand.NameRef
		} else if assigned.Kind == expand.String && (vr.Kind == expand.Indexed || vr.Kind == expand.Associative) || index != nil {
			if err := r.replaceVar(name, vr); err == nil {
				r.setVarWithIndex(vr, name, index, assigned)
				vr = r.lookupVar(name)
			}
			assigned = vr
		} else {
			r.coerce(&assigned)
		}
		vr = assigned
	}
	vr.Local = d.local
	vr.ReadOnly = readOnly
	if err := r.replaceVar(name, vr); err != nil {
		r.complain("%s: %v", d.name, err)
		r.exit.code = 1
	}
}

// convert makes the variable an array or a reference.
func (d *declaration) convert(vr *expand.Variable) {
	switch d.kind {
	case "-a":
		if vr.Kind == expand.String && vr.Set {
			vr.List, vr.Str = []string{vr.Str}, ""
		}
		if vr.Kind != expand.Associative {
			vr.Kind = expand.Indexed
		}
	case "-A":
		if vr.Kind == expand.String && vr.Set {
			vr.Map, vr.Str = map[string]string{"0": vr.Str}, ""
		}
		vr.Kind = expand.Associative
	case "-n":
		vr.Kind = expand.NameRef
	case "+n":
		if vr.Kind == expand.NameRef {
			vr.Kind = expand.String
		}
	}
}

func setFlags(vr *expand.Variable, letters string, on bool) {
	for _, letter := range letters {
		switch letter {
		case 'x':
			vr.Exported = on
		case 'r':
			vr.ReadOnly = on
		case 'i':
			vr.Integer = on
		case 'l':
			vr.Lower, vr.Upper = on, vr.Upper && !on
		case 'u':
			vr.Upper, vr.Lower = on, vr.Lower && !on
		}
	}
}
