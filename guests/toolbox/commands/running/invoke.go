package running

import (
	"errors"
	"io"
	"strings"

	"capbox/toolbox/commands/kit"
	"capbox/toolbox/program"
)

const invokeUsage = `NAME [JSON]
       invoke --list`

const invokeHelp = `NAME is a function of the program that runs this, JSON its arguments: one object. Without JSON, standard input is
read; nothing there is {}. What the function says is printed.

  -l, --list  print what may be called: one JSON object a line, with name, description, input_schema and grants

Exit status: 0 done, 1 the function failed, 2 wrong usage or arguments, 3 done, but the result was too long and is cut,
126 refused.
`

const (
	invokeMisused = 2
	invokeCut     = 3
	invokeRefused = 126
)

// Invoke is the command invoke: it calls functions of the embedding program.
func Invoke(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{
		Short: "lh", Long: "list=l", Usage: invokeUsage, Status: invokeMisused, Ordered: true,
	})
	if done {
		return status
	}
	operands := opts.Operands
	switch {
	case opts.Has("h"):
		c.Out.WriteString(c.Help(invokeUsage, invokeHelp))
		return 0
	case opts.Has("l") && len(operands) == 0:
		return listed(c)
	case opts.Has("l"):
		return c.Usage(invokeMisused, "extra operand '%s'", operands[0])
	case len(operands) == 0:
		return c.Usage(invokeMisused, "missing operand")
	case len(operands) > 2:
		return c.Usage(invokeMisused, "extra operand '%s': the arguments are one JSON object, in quotes", operands[2])
	}
	arguments, err := given(c, operands[1:])
	if err != nil {
		return c.Fail("standard input: %s", kit.Reason(err))
	}
	if len(arguments) > program.ArgumentsMax {
		c.Fail("%s: the arguments are longer than %d bytes", operands[0], program.ArgumentsMax)
		return invokeMisused
	}
	result, err := program.Call(operands[0], []byte(arguments))
	if err != nil {
		return failed(c, operands[0]+": ", err)
	}
	c.Out.WriteString(result.Content)
	if !strings.HasSuffix(result.Content, "\n") {
		c.Out.WriteString("\n")
	}
	if result.Truncated {
		c.Fail("%s: the function is done; what it said is too long, and cut", operands[0])
		return invokeCut
	}
	return 0
}

// given are the arguments as they were written.
func given(c *kit.Call, operands []string) (string, error) {
	text := ""
	if len(operands) > 0 {
		text = operands[0]
	} else {
		read, err := io.ReadAll(io.LimitReader(c.Input(), program.ArgumentsMax+1))
		if err != nil {
			return "", err
		}
		text = string(read)
	}
	if strings.TrimSpace(text) == "" && len(operands) == 0 {
		return "{}", nil
	}
	return text, nil
}

func listed(c *kit.Call) int {
	functions, err := program.List()
	if err != nil {
		return failed(c, "", err)
	}
	for _, one := range functions {
		c.Out.Line(string(one))
	}
	if len(functions) == 0 {
		c.Fail("no function is granted to what runs here")
	}
	return 0
}

// failed says why there is no result, and tells what was refused from what went wrong.
func failed(c *kit.Call, subject string, err error) int {
	var known *program.Error
	status := c.Fail("%s%s", subject, err)
	if !errors.As(err, &known) {
		return status
	}
	switch known.Code {
	case program.Denied, program.Stopped, program.Limit:
		return invokeRefused
	case program.Unknown, program.Arguments:
		return invokeMisused
	}
	return status
}
