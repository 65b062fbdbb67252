"""The sandbox and the jobs of tests/sandbox, for attacks."""

from tests.sandbox.conftest import compiled, job, sandbox

__all__ = ["compiled", "job", "sandbox"]
