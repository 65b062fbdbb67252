package expand

import (
	"errors"
	"maps"
	"slices"
	"unicode/utf8"

	"mvdan.cc/sh/v3/internal"
	"mvdan.cc/sh/v3/syntax"
)

// arrayLengthMax bounds an array: a single `a[99999999]=x` is fine, as arrays are sparse.
const arrayLengthMax = 4 << 20

// values lists what ${x[@]} stands for. Associative arrays are in the order of their keys: bash's order is chance.
func (v Variable) values() []string {
	switch v.Kind {
	case Indexed:
		return v.List
	case Associative:
		list := make([]string, 0, len(v.Map))
		for _, key := range slices.Sorted(maps.Keys(v.Map)) {
			list = append(list, v.Map[key])
		}
		return list
	}
	if v.Set {
		return []string{v.Str}
	}
	return nil
}

// keys lists what ${!x[@]} stands for.
func (v Variable) keys() []string {
	switch v.Kind {
	case Indexed:
		return v.indexedKeys()
	case Associative:
		return slices.Sorted(maps.Keys(v.Map))
	}
	if v.Set {
		return []string{"0"}
	}
	return nil
}

// varInd is one element, and whether it is set.
func (cfg *Config) varInd(vr Variable, index syntax.ArithmExpr) (string, bool, error) {
	switch vr.Kind {
	case Indexed:
		i := 0
		if index != nil {
			var err error
			if i, err = cfg.elementIndex(vr, index); err != nil {
				return "", false, err
			}
		}
		text, ok := vr.indexedVal(i)
		return text, ok, nil
	case Associative:
		key, err := cfg.arrayKey(index)
		if err != nil {
			return "", false, err
		}
		text, ok := vr.Map[key]
		return text, ok, nil
	}
	if index != nil {
		i, err := Arithm(cfg, index)
		if err != nil || i != 0 && i != -1 {
			return "", false, err
		}
	}
	return vr.Str, vr.IsSet(), nil
}

// assignElem sets a variable or one element of it, as ${x=word}, arithmetic and read do.
func (cfg *Config) assignElem(name string, vr Variable, index syntax.ArithmExpr, text string) error {
	env, ok := cfg.Env.(WriteEnviron)
	if !ok {
		return errors.New("environment is read-only")
	}
	switch {
	case vr.Kind == Associative:
		key, err := cfg.arrayKey(index)
		if err != nil {
			return err
		}
		vr.Map = maps.Clone(vr.Map)
		if vr.Map == nil {
			vr.Map = map[string]string{}
		}
		vr.Map[key] = text
	case index == nil && vr.Kind != Indexed:
		vr.Kind, vr.Str = String, text
	default:
		i := 0
		if vr.Kind != Indexed {
			if vr.Set {
				vr.List = []string{vr.Str}
			}
			vr.Kind, vr.Str, vr.Indexes = Indexed, "", nil
		}
		if index != nil {
			var err error
			if i, err = cfg.elementIndex(vr, index); err != nil {
				return err
			}
		}
		if len(vr.List) >= arrayLengthMax {
			return errors.New(name + ": array too large")
		}
		vr.List, vr.Indexes = internal.SetIndexedElem(slices.Clone(vr.List), slices.Clone(vr.Indexes), i, text)
	}
	vr.Set = true
	return env.Set(name, vr)
}

// slice serves ${x:offset:length}.
func (cfg *Config) slice(slice *syntax.Slice, op operand) ([]string, error) {
	offset, err := Arithm(cfg, slice.Offset)
	if err != nil {
		return nil, err
	}
	length := 0
	if slice.Length != nil {
		if length, err = Arithm(cfg, slice.Length); err != nil {
			return nil, err
		}
	}
	if op.all == "" {
		return sliceText(op.elems[0], offset, length, slice.Length != nil)
	}
	elems := op.elems
	switch {
	case op.name == "@" || op.name == "*":
		elems = append([]string{cfg.Env.Get("0").Str}, elems...)
		if offset < 0 {
			offset += len(elems)
		}
	case op.vr.Kind == Indexed && op.vr.Indexes != nil:
		if offset < 0 {
			offset += op.vr.Indexes[len(op.vr.Indexes)-1] + 1
		}
		if offset >= 0 {
			at, _ := slices.BinarySearch(op.vr.Indexes, offset)
			offset = at
		}
	case offset < 0:
		offset += len(elems)
	}
	if slice.Length != nil && length < 0 {
		return nil, &ExpansionError{cfg.arithmSource(slice.Length) + ": substring expression < 0"}
	}
	if offset < 0 || offset >= len(elems) {
		return nil, nil
	}
	elems = elems[offset:]
	if slice.Length != nil {
		elems = elems[:min(length, len(elems))]
	}
	return elems, nil
}

// sliceText counts in characters, and negative numbers from the end.
func sliceText(text string, offset, length int, limited bool) ([]string, error) {
	size := utf8.RuneCountInString(text)
	if offset < 0 {
		offset += size
	}
	if offset < 0 || offset > size {
		return []string{""}, nil
	}
	end := size
	if limited {
		if length < 0 {
			if end = size + length; end < offset {
				return nil, &ExpansionError{"substring expression < 0"}
			}
		} else {
			end = min(size, offset+min(length, size))
		}
	}
	if size == len(text) {
		return []string{text[offset:end]}, nil
	}
	return []string{string([]rune(text)[offset:end])}, nil
}
