package jq

import "strings"

// jqArguments separates what Parse cannot: the two words after --arg and the like become one, "name\x00value", and the
// operands after --args or --jsonargs, but for the filter, are values and no files.
func jqArguments(args []string) (rest []string, positional []any, problem string) {
	positional = []any{}
	kind, filter, ended := "", false, false
	var operands []string
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case !ended && (arg == "--arg" || arg == "--argjson" || arg == "--slurpfile" || arg == "--rawfile"):
			if i+2 >= len(args) {
				return nil, nil, arg + " takes two parameters (e.g. " + arg + " name value)"
			}
			rest = append(rest, arg+"="+args[i+1]+"\x00"+args[i+2])
			i += 2
		case !ended && (arg == "--args" || arg == "--jsonargs"):
			kind = arg
		case !ended && arg == "--":
			ended = true
		case !ended && len(arg) > 1 && arg[0] == '-':
			rest = append(rest, arg)
			if takesWord(arg) && i+1 < len(args) {
				i++
				rest = append(rest, args[i])
			}
			filter = filter || arg == "--from-file" || arg[1] != '-' && strings.Contains(arg, "f")
		case kind == "" || !filter:
			operands = append(operands, arg)
			filter = true
		case kind == "--args":
			positional = append(positional, arg)
		default:
			value, err := decodeJSON([]byte(arg))
			if err != nil {
				return nil, nil, "Invalid JSON text passed to --jsonargs"
			}
			positional = append(positional, value)
		}
	}
	return append(append(rest, "--"), operands...), positional, ""
}

// takesWord says whether the next word belongs to this option.
func takesWord(arg string) bool {
	if strings.HasPrefix(arg, "--") {
		return arg == "--indent" || arg == "--from-file"
	}
	return strings.HasSuffix(arg, "f") || arg == "-L"
}
