"""From what a run can know to where it can put it: every pair, the worst first, and what cuts it.

Guarantees: a pair is a flow whenever one run holds both ends, since a script that reads the one can
feed the other; what is proposed parses and mints. Does not: tell whether a model would do it. The
question is what the worst one could do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from capbox.authority.grant import Grant
from capbox.authority.web.places import FetchSelector
from capbox.engine.radius.cuts import Cut, Label, Mints, cutting, flag_of, narrower, possible
from capbox.engine.radius.ends import Sink, SinkKind, Source, SourceKind

Level = Literal["high", "medium", "low"]
_ORDER: dict[Level, int] = {"high": 0, "medium": 1, "low": 2}

# Data that leaves: how bad it is that this kind of source meets this kind of sink.
_LEAVES: dict[tuple[SourceKind, SinkKind], Level] = {
    ("secret", "web"): "high",
    ("secret", "function"): "high",
    ("secret", "outside"): "medium",
    ("secret", "control"): "medium",
    ("secret", "workspace"): "low",
    ("variable", "web"): "low",
    ("variable", "function"): "low",
    ("files", "web"): "medium",
    ("files", "function"): "medium",
    ("files", "outside"): "low",
}
# Words of strangers that decide what the run does there.
_STEERS: dict[SinkKind, Level] = {"control": "high", "function": "medium", "outside": "medium"}


@dataclass(frozen=True, slots=True)
class Flow:
    """One pair. `cut_by` are the caveats that hold it back now, `cuts` what else would."""

    source: Source
    sink: Sink
    level: Level
    cut_by: tuple[str, ...]
    cuts: tuple[Cut, ...]

    @property
    def steers(self) -> bool:
        """Say whether it is words that steer, not data that leaves."""
        return self.source.kind == "untrusted"


def flows(
    known: Iterable[Source], stranger: Source | None, places: Iterable[Sink], mints: Mints
) -> tuple[Flow, ...]:
    """Return every flow between these ends, the worst first, cut ones last."""
    places, advice = tuple(places), _Advice(mints)
    found = [flow for one in known for sink in places if (flow := _leaving(one, sink, advice))]
    if stranger is not None:
        found += [flow for sink in places if (flow := _steering(stranger, sink, advice))]
    found.sort(key=lambda f: (bool(f.cut_by), _ORDER[f.level], f.steers, not f.sink.open))
    return tuple(found)


def unlisted(known: Iterable[Source], places: Iterable[Sink]) -> Iterator[tuple[Source, Sink]]:
    """Yield the pairs that nothing cuts and that `flows` leaves out, as no news to a reader.

    Such as strangers' words on the way to a server. A rule may be about them all the same.
    """
    places = tuple(places)
    for source in known:
        for sink in places:
            within = source.grant == str(sink.grant)
            # From one file of a folder to another one; a secret is in its own place already.
            told = source.kind != "files" if within else _listed(source, sink)
            if not told and not cutting(sink.grant, source.labels):
                yield source, sink


def _listed(source: Source, sink: Sink) -> bool:
    if source.kind == "untrusted":
        return bool(sink.acts_with) or sink.kind in _STEERS
    kind: SourceKind = "secret" if source.secret else source.kind
    return (kind, sink.kind) in _LEAVES


def _leaving(source: Source, sink: Sink, advice: _Advice) -> Flow | None:
    # A variable that is called as credentials are is as secret as a file of them.
    kind: SourceKind = "secret" if source.secret else source.kind
    level = _LEAVES.get((kind, sink.kind))
    if level is None or source.grant == str(sink.grant):
        return None
    return _flow(source, sink, level, advice)


def _steering(source: Source, sink: Sink, advice: _Advice) -> Flow | None:
    level: Level | None = "medium" if sink.acts_with else _STEERS.get(sink.kind)
    return None if level is None else _flow(source, sink, level, advice)


def _flow(source: Source, sink: Sink, level: Level, advice: _Advice) -> Flow:
    held = cutting(sink.grant, source.labels)
    return Flow(source, sink, level, held, () if held else tuple(_cuts(source, sink, advice)))


def _cuts(source: Source, sink: Sink, advice: _Advice) -> Iterator[Cut]:
    yield from advice.on(sink.grant, source.labels)
    if source.flag:
        yield Cut(None, f"leave out {source.flag}", None, "")
    elif sink.kind != "web":
        yield Cut(None, f"leave out {sink.grant}", None, "")


class _Advice:
    """What could be done about a grant, worked out once for all the flows into it."""

    def __init__(self, mints: Mints) -> None:
        self._mints = mints
        self._known: dict[tuple[Grant, frozenset[Label]], tuple[Cut, ...]] = {}

    def on(self, grant: Grant, labels: frozenset[Label]) -> tuple[Cut, ...]:
        """Return the cuts of a flow of these labels into `grant` that change the grant."""
        if (grant, labels) not in self._known:
            self._known[grant, labels] = tuple(self._worked_out(grant, labels))
        return self._known[grant, labels]

    def _worked_out(self, grant: Grant, labels: frozenset[Label]) -> Iterator[Cut]:
        yield from possible(grant, labels, self._mints)
        one = on_one_host(grant, self._mints)
        if one is not None:
            why = "name the one host that is meant (api. is an example): nobody else gets anything"
            yield Cut(None, why, str(one), flag_of(one))


def on_one_host(grant: Grant, mints: Mints) -> Grant | None:
    """Return a grant for a single host in place of one for many; the host's name is an example."""
    selector = grant.selector
    if not isinstance(selector, FetchSelector) or not selector.host.startswith("*."):
        return None
    text = str(grant).replace(f"//{selector.host}", f"//api.{selector.host[2:]}", 1)
    return narrower(text, grant, mints)
