package interp

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// replaceVar sets a variable with exactly these attributes; setVarErr keeps those it has.
func (r *Runner) replaceVar(name string, vr expand.Variable) error {
	if r.opts[optAllExport] {
		vr.Exported = true
	}
	if err := r.writeEnv.Set(name, vr); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// inherit gives a new value the attributes of the variable, follows a reference, and applies -i, -l and -u.
func (r *Runner) inherit(name string, vr expand.Variable) (string, expand.Variable, error) {
	prev := r.writeEnv.Get(name)
	if prev.Kind == expand.NameRef && vr.Kind != expand.NameRef {
		target, to := prev.Resolve(r.writeEnv)
		if base, sub, ok := cutElemSubscript(target); ok && vr.Kind == expand.String {
			return "", vr, expand.AssignElement(r.ecfg, base, sub, true, vr.Str)
		}
		if syntax.ValidName(target) {
			name, prev = target, to
		}
	}
	if vr.Kind == expand.KeepValue || !vr.Set {
		return name, vr, nil
	}
	vr.Exported = vr.Exported || prev.Exported
	vr.Integer = vr.Integer || prev.Integer
	vr.Lower = vr.Lower || prev.Lower
	vr.Upper = vr.Upper || prev.Upper
	if vr.Kind == expand.String && prev.Kind == expand.Indexed && !vr.Local {
		return "", vr, expand.AssignElement(r.ecfg, name, "0", true, vr.Str)
	}
	r.coerce(&vr)
	return name, vr, nil
}

// coerce applies the attributes -i, -l and -u to the value.
func (r *Runner) coerce(vr *expand.Variable) {
	if vr.Kind != expand.String {
		return
	}
	switch {
	case vr.Integer:
		vr.Str = strconv.Itoa(r.evaluate(vr.Str))
	case vr.Lower:
		vr.Str = strings.ToLower(vr.Str)
	case vr.Upper:
		vr.Str = strings.ToUpper(vr.Str)
	}
}

// evaluate is the value of text as an expression.
func (r *Runner) evaluate(text string) int {
	if n, err := strconv.Atoi(text); err == nil && (len(text) < 2 || text[0] != '0') {
		return n
	}
	return r.arithm(&syntax.Word{Parts: []syntax.WordPart{&syntax.DblQuoted{Parts: []syntax.WordPart{&syntax.Lit{Value: text}}}}})
}

// isLocal says whether the function that runs has declared the name.
func (r *Runner) isLocal(name string) bool {
	scope, ok := r.writeEnv.(*overlayEnviron)
	if !ok {
		return false
	}
	vr, ok := scope.values[name]
	return ok && vr.Local
}

// assigned is the value of an assignment; += adds numbers if the variable is an integer.
func (r *Runner) assigned(prev expand.Variable, as *syntax.Assign) string {
	text, err := expand.AssignedLiteral(r.ecfg, as.Value)
	r.expandErr(err)
	if as.Append && prev.Integer && prev.Kind == expand.String {
		return strconv.Itoa(r.evaluate(prev.Str) + r.evaluate(text))
	}
	return text
}

// arrayPairs reads the elements of an associative array: [key]=value, or keys and values in turn.
func (r *Runner) arrayPairs(name string, elems []*syntax.ArrayElem, into map[string]string) {
	for i := 0; i < len(elems); i++ {
		elem := elems[i]
		if elem.Index == nil {
			words := r.fields(elem.Value)
			for j := 0; j < len(words); j += 2 {
				into[words[j]] = ""
				if j+1 < len(words) {
					into[words[j]] = words[j+1]
				} else if i+1 < len(elems) && elems[i+1].Index == nil {
					i++
					into[words[j]] = r.literal(elems[i].Value)
				}
			}
			continue
		}
		key, err := expand.ArrayKey(r.ecfg, elem.Index)
		if err != nil || key == "" {
			r.complain("%s: []: bad array subscript", name)
			r.exit.code = 1
			return
		}
		into[key] = r.literal(elem.Value)
	}
}

// exportFunction marks a function for the shells that this one starts.
func (r *Runner) exportFunction(name string, exported bool) {
	key := exportedFunction + name + "%%"
	if !exported {
		_ = r.writeEnv.Set(key, expand.Variable{})
		return
	}
	_ = r.writeEnv.Set(key, expand.Variable{
		Set: true, Exported: true, Kind: expand.String, Str: "() " + strings.TrimSuffix(strings.TrimPrefix(functionSource(name, r.Funcs[name]), name+" () \n"), "\n"),
	})
}

// ImportFunctions takes the functions out of an environment that another shell made.
func ImportFunctions(vars map[string]string) []*syntax.Stmt {
	var functions []*syntax.Stmt
	for _, key := range slices.Sorted(maps.Keys(vars)) {
		name, ok := strings.CutPrefix(key, exportedFunction)
		if name, ok = strings.CutSuffix(name, "%%"); !ok {
			continue
		}
		file, err := syntax.NewParser().Parse(strings.NewReader(name+" "+vars[key]), "environment")
		if err != nil || len(file.Stmts) != 1 {
			continue
		}
		if _, ok := file.Stmts[0].Cmd.(*syntax.FuncDecl); ok {
			functions = append(functions, file.Stmts[0])
		}
	}
	return functions
}

// exportedFunction begins the name of the variable that carries a function, as in bash.
const exportedFunction = "BASH_FUNC_"
