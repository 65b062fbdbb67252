"""Python imports this module when it starts: here it learns what it is to do instead of its main.

The interpreter is a command that takes its program from arguments or standard input; a tool has no
arguments, and its input is a request. Just before the interpreter would read its input it says so
to audit hooks, and ours never returns.
"""

import sys


def _hook(event, _arguments):
    if event == "cpython.run_stdin":
        from _capbox import start

        start.main()


_hook.__cantrace__ = True  # else no program could use a debugger
sys.addaudithook(_hook)
