"""How fast is fast enough: a bar that must be met, and an aim beyond it, for each row that has one.

Ratios are to the row's own yardstick: spawning `bash -c true`, or a native command.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bench.row import Row


@dataclass(frozen=True, slots=True)
class Bar:
    """What the ratio or the value must reach: at most `bar`, or `at_least` it."""

    bar: float
    aim: float
    of: Literal["ratio", "value"] = "ratio"
    at_least: bool = False

    def measured(self, row: Row) -> float | None:
        """Return the number that counts; None if its yardstick could not be measured."""
        return row.ratio if self.of == "ratio" else row.value

    def met(self, row: Row) -> bool:
        """Say whether the bar is met; what was not measured is not."""
        return self._reaches(row, self.bar)

    def aimed(self, row: Row) -> bool:
        """Say whether the aim is reached as well."""
        return self._reaches(row, self.aim)

    def _reaches(self, row: Row, mark: float) -> bool:
        found = self.measured(row)
        if found is None:
            return False
        return found >= mark if self.at_least else found <= mark


BARS = {
    "read_1k": Bar(0.5, 0.3),
    "echo": Bar(0.6, 0.35),
    "pipeline": Bar(3, 1),
    "loop": Bar(6, 3),
    "grep_literal": Bar(4, 2),
    "glob": Bar(5, 3),
    "fresh_rate": Bar(1_500, 3_000, "value", at_least=True),
    "gate_alone": Bar(150, 60, "value"),
    "cli_call": Bar(350, 150, "value"),
    "http_get": Bar(1, 0.5),
    "js_start": Bar(0.05, 0.03),
    "pre_image": Bar(1.25, 1.15),
    "undo": Bar(1_000, 500, "value"),
    "http_match": Bar(5, 5, "value"),
    "grants_decide": Bar(20, 10, "value"),
    "arg_decide": Bar(20, 10, "value"),
    "revoke": Bar(100, 20, "value"),
    "blast_radius": Bar(2_000, 1_000, "value"),
    "loop_turn": Bar(5, 3, "value"),
    "loop_turn_long": Bar(1.5, 1.2),
    "first_event": Bar(5, 2, "value"),
    "first_event_openai": Bar(5, 2, "value"),
    "session_open": Bar(300, 150, "value"),
    "chat_prompt": Bar(500, 300, "value"),
    "python_build": Bar(15_000, 8_000, "value"),
    "runs_growth": Bar(5, 1, "value"),
    "pkg_install": Bar(20_000, 10_000, "value"),
    "python_start": Bar(0.3, 0.1),
}
