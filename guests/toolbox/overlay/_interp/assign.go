package interp

import (
	"maps"
	"slices"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/internal"
	"mvdan.cc/sh/v3/syntax"
)

// assignVal is the variable that an assignment makes of prev, and its name after references were followed.
func (r *Runner) assignVal(name string, prev expand.Variable, as *syntax.Assign, valType string) (string, expand.Variable) {
	if prev.Kind == expand.NameRef && valType != "-n" {
		if n, v := prev.Resolve(r.writeEnv); n != "" {
			name, prev = n, v
		}
	}
	prev.Set = true
	switch {
	case as.Array != nil:
		return name, r.assignArray(name, prev, as, valType)
	case as.Value == nil && !as.Append:
		prev.Kind, prev.Str = expand.String, ""
		return name, prev
	}
	text := r.assigned(prev, as)
	if !as.Append || prev.Kind == expand.Unknown || prev.Kind == expand.NameRef || prev.Integer && prev.Kind == expand.String {
		prev.Kind, prev.Str = expand.String, text
		if valType == "-n" {
			prev.Kind = expand.NameRef
		}
		return name, prev
	}
	switch prev.Kind {
	case expand.Indexed:
		first := ""
		if len(prev.List) > 0 && (prev.Indexes == nil || prev.Indexes[0] == 0) {
			first = prev.List[0]
		}
		prev.List, prev.Indexes = internal.SetIndexedElem(slices.Clone(prev.List), slices.Clone(prev.Indexes), 0, first+text)
	case expand.Associative:
		prev.Map = maps.Clone(prev.Map)
		if prev.Map == nil {
			prev.Map = map[string]string{}
		}
		prev.Map["0"] += text
	default:
		prev.Str += text
	}
	return name, prev
}

// assignArray is name=(...) and name+=(...).
func (r *Runner) assignArray(name string, prev expand.Variable, as *syntax.Assign, valType string) expand.Variable {
	elems := as.Array.Elems
	if valType == "-A" || valType != "-a" && prev.Kind == expand.Associative {
		pairs := map[string]string{}
		if as.Append && prev.Kind == expand.Associative {
			pairs = maps.Clone(prev.Map)
			if pairs == nil {
				pairs = map[string]string{}
			}
		}
		r.arrayPairs(name, elems, pairs)
		prev.Kind, prev.Map = expand.Associative, pairs
		return prev
	}
	list, indexes := []string{}, []int(nil)
	if as.Append {
		switch prev.Kind {
		case expand.Indexed:
			list, indexes = slices.Clone(prev.List), slices.Clone(prev.Indexes)
		case expand.String:
			list = []string{prev.Str}
		}
	}
	index := internal.IndexedMax(list, indexes) + 1
	for _, elem := range elems {
		if elem.Index == nil {
			for _, text := range r.fields(elem.Value) {
				list, indexes = internal.SetIndexedElem(list, indexes, index, r.element(prev, text))
				index++
			}
			continue
		}
		index = r.arithm(elem.Index)
		if index < 0 {
			if index += internal.IndexedMax(list, indexes) + 1; index < 0 {
				r.complain("%s: bad array subscript", name)
				r.exit.code = 1
				break
			}
		}
		list, indexes = internal.SetIndexedElem(list, indexes, index, r.element(prev, r.literal(elem.Value)))
		index++
	}
	if list == nil {
		list = []string{}
	}
	prev.Kind, prev.List, prev.Indexes = expand.Indexed, list, indexes
	return prev
}

// element applies -i, -l and -u to an element.
func (r *Runner) element(vr expand.Variable, text string) string {
	if !vr.Integer && !vr.Lower && !vr.Upper {
		return text
	}
	vr.Kind, vr.Str = expand.String, text
	r.coerce(&vr)
	return vr.Str
}

// setVarWithIndex sets a variable, or the element 0 if it is an array and the value is a string.
func (r *Runner) setVarWithIndex(prev expand.Variable, name string, index syntax.ArithmExpr, vr expand.Variable) {
	if index == nil && (vr.Kind != expand.String || prev.Kind != expand.Indexed && prev.Kind != expand.Associative) {
		r.setVar(name, vr)
		return
	}
	if err := expand.AssignIndex(r.ecfg, name, index, vr.Str); err != nil && !r.fatalExpansion(err) {
		r.complain("%v", err)
		r.exit.code = 1
	}
}
