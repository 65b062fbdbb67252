"""`concurrent.futures.thread` where there are no threads: each call runs where it is submitted.

The results, their order and their exceptions are those of a pool; nothing runs at the same time,
and a call that waits for a later one waits for ever, which is an error at once.
"""

import itertools
from concurrent.futures import _base


class BrokenThreadPool(_base.BrokenExecutor):
    """The initializer failed."""


class ThreadPoolExecutor(_base.Executor):
    """An executor of one place: the caller's."""

    _numbers = itertools.count()

    def __init__(self, max_workers=None, thread_name_prefix="", initializer=None, initargs=()):
        if max_workers is not None and max_workers <= 0:
            raise ValueError("max_workers must be greater than 0")
        if initializer is not None and not callable(initializer):
            raise TypeError("initializer must be a callable")
        self._max_workers = max_workers or 1
        self._thread_name_prefix = thread_name_prefix or f"ThreadPoolExecutor-{next(self._numbers)}"
        self._initializer, self._initargs = initializer, initargs
        self._shutdown = self._broken = False

    def submit(self, fn, /, *args, **kwargs):
        """Run the call; return its future, which is done."""
        if self._broken:
            raise BrokenThreadPool("A thread initializer failed, the thread pool is not usable")
        if self._shutdown:
            raise RuntimeError("cannot schedule new futures after shutdown")
        future = _base.Future()
        future.set_running_or_notify_cancel()
        if self._initializer is not None:
            initializer, self._initializer = self._initializer, None
            try:
                initializer(*self._initargs)
            except BaseException:
                self._broken = True
                future.set_exception(BrokenThreadPool("A thread initializer failed"))
                return future
        try:
            result = fn(*args, **kwargs)
        except BaseException as error:
            future.set_exception(error)
        else:
            future.set_result(result)
        return future

    def shutdown(self, wait=True, *, cancel_futures=False):
        """Take no further calls."""
        self._shutdown = True
