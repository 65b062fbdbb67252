package interp

import (
	"slices"

	"mvdan.cc/sh/v3/expand"
)

// This file takes the place of parts of interp/vars.go that call themselves once for each function that runs: a lookup
// from a deep function took longer than the command around it, and as much of the stack as the depth.

// Get implements expand.Environ.
func (o *overlayEnviron) Get(name string) expand.Variable {
	for {
		if len(o.values) > 0 {
			if vr, ok := o.values[name]; ok {
				return vr.Variable
			}
		}
		outer, ok := o.parent.(*overlayEnviron)
		if !ok {
			break
		}
		o = outer
	}
	if o.parent == nil {
		return expand.Variable{}
	}
	return o.parent.Get(name)
}

// holder is the innermost scope that has the variable as its own, or the shell's.
func (o *overlayEnviron) holder(name string) *overlayEnviron {
	for o.funcScope && !o.values[name].Local {
		outer, ok := o.parent.(*overlayEnviron)
		if !ok {
			break
		}
		o = outer
	}
	return o
}

// Each implements expand.Environ: the outer scopes come first.
func (o *overlayEnviron) Each(visit func(name string, vr expand.Variable) bool) {
	scopes := []*overlayEnviron{o}
	for outer, ok := o.parent.(*overlayEnviron); ok; outer, ok = outer.parent.(*overlayEnviron) {
		scopes = append(scopes, outer)
	}
	if first := scopes[len(scopes)-1].parent; first != nil {
		first.Each(visit)
	}
	for _, scope := range slices.Backward(scopes) {
		for _, vr := range scope.values {
			if !visit(vr.Name, vr.Variable) {
				return
			}
		}
	}
}
