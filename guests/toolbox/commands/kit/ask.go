package kit

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// Ask puts a question on standard error and reads the answer from standard input, as -i does.
func (c *Call) Ask(format string, args ...any) bool {
	if _, err := io.WriteString(c.Err(), c.Name+": "+fmt.Sprintf(format, args...)); err != nil {
		return false
	}
	line, err := c.Input().ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return false
	}
	return strings.HasPrefix(line, "y") || strings.HasPrefix(line, "Y")
}
