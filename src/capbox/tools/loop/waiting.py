"""`sleep`: waits, within the time limit of one call.

Guarantees: it can be cancelled at any moment; its time counts as the run's. Does not: outlast the
bound that the operator gave a call.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import anyio

from capbox.tools.loop.told import Told, Unable

# So that the answer is there before the limit of the call ends it.
_MARGIN_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Waiting:
    """The tool; a call may take `seconds_max`, `now` returns seconds since 1970."""

    seconds_max: float
    now: Callable[[], float]

    async def sleep(self, seconds: float) -> Told | Unable:
        """Wait, for something that takes its time. The run's time goes on meanwhile.

        Args:
            seconds: How long; what is more than one call may take is cut to that.
        """
        if not seconds >= 0:
            return Unable("invalid_arguments", "seconds: 0 or more is expected")
        most = max(0.0, self.seconds_max - _MARGIN_SECONDS)
        slept = min(seconds, most)
        await anyio.sleep(slept)
        cut = "" if slept == seconds else f" (one call may take {self.seconds_max:g} s, not more)"
        # The time of day also tells two waits apart, of which the second is no repetition.
        return Told(f"slept {slept:g} s{cut}; it is {datetime.fromtimestamp(self.now(), UTC)}")
