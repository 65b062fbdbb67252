package kit

import "strings"

// OperandKey marks a parameter that is no option but stays in its place.
const OperandKey = "\x00operand"

// ScanOptions reads as Parse does, and goes on after what is wrong.
func ScanOptions(spec Spec, words []string, inPlace bool) (*Options, []string) {
	p := &optionParser{spec: spec, opts: &Options{}, rest: words}
	var problems []string
	for len(p.rest) > 0 {
		arg := p.rest[0]
		p.rest = p.rest[1:]
		problem := ""
		switch {
		case arg == "--":
			p.opts.Operands = append(p.opts.Operands, p.rest...)
			return p.opts, problems
		case strings.HasPrefix(arg, "--"):
			problem = p.declared(arg[2:])
		case len(arg) > 1 && arg[0] == '-':
			problem = p.short(arg[1:])
		case inPlace:
			p.add(OperandKey, arg)
		default:
			p.opts.Operands = append(p.opts.Operands, arg)
			if spec.Ordered {
				p.opts.Operands = append(p.opts.Operands, p.rest...)
				return p.opts, problems
			}
		}
		if problem != "" {
			problems = append(problems, problem)
		}
	}
	return p.opts, problems
}

// declared reads a long option; --help counts only if the script declares it.
func (p *optionParser) declared(text string) string {
	name, _, _ := strings.Cut(text, "=")
	if _, _, _, problem := p.spec.Find(name); problem != "" {
		return problem
	}
	asked := p.asked
	problem := p.long(text)
	if p.asked != asked {
		p.asked = asked
		p.add(name, "")
	}
	return problem
}
