"""Leaving a stack of contexts that holds task groups, without wrapping the caller's own exception.

A task group turns whatever is raised in its body into an ExceptionGroup; `except KeyError` around
`async with Box(...)` would then miss a KeyError. Guarantees: only a cancellation is passed on to
the stack; any other exception goes on as it is. Does not: swallow anything by itself.
"""

from __future__ import annotations

from contextlib import AsyncExitStack

from anyio import get_cancelled_exc_class


async def leave(stack: AsyncExitStack, error: BaseException | None) -> bool | None:
    """Close `stack`; returns whether a cancellation was its own and so ends here."""
    if error is None or not isinstance(error, get_cancelled_exc_class()):
        await stack.aclose()
        return None
    return await stack.__aexit__(type(error), error, error.__traceback__)
