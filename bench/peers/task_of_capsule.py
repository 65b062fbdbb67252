"""The task that capsule compiles: it executes code and answers with what that printed."""

from contextlib import redirect_stdout
from io import StringIO

from capsule import task


@task(name="main", compute="HIGH")  # type: ignore[untyped-decorator]
def main(code: str) -> str:
    """Execute the code."""
    output = StringIO()
    with redirect_stdout(output):
        exec(code, {})
    return output.getvalue()
