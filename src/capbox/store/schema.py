"""The tables of the run store, in SQLAlchemy Core. Importing it loads SQLAlchemy (0.5 s and more).

`VERSION` is kept in the database (`PRAGMA user_version`); `APPLICATION` says that a file is ours.
Times are seconds since 1970 (UTC); an event is the JSON object that surfaces print, unchanged.
Does not: hold grants or effects as columns; what was allowed and done is the journal's to say.
"""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

VERSION = 2
APPLICATION = 0x63617062  # "capb"

metadata = MetaData()

runs = Table(
    "runs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("started_at", Float, nullable=False),
    Column("ended_at", Float),
    Column("task", Text, nullable=False),
    Column("workspace", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("outcome", Text),
    Column("input_tokens", Integer, nullable=False, default=0),
    Column("output_tokens", Integer, nullable=False, default=0),
    Column("cache_read_tokens", Integer, nullable=False, default=0),
    Column("cache_write_tokens", Integer, nullable=False, default=0),
    Column("usd", Float),
    Column("session", Text),
    Index("runs_by_start", "started_at"),
    Index("runs_by_session", "session"),
)

events = Table(
    "events",
    metadata,
    Column("run", Text, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("at", Float, nullable=False),
    Column("json", Text, nullable=False),
    sqlite_with_rowid=False,
)

# `tags` is a JSON list; `parent` and `place` say where a fork left another session.
sessions = Table(
    "sessions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("tags", Text, nullable=False, default="[]"),
    Column("workspace", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("created", Float, nullable=False),
    Column("updated", Float, nullable=False),
    Column("parent", Text),
    Column("place", Integer),
    Index("sessions_by_update", "updated"),
)

# A number is never given twice, so that what the search index has of one is of no other.
messages = Table(
    "messages",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("session", Text, ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("run", Text, nullable=False),
    Column("at", Float, nullable=False),
    Column("json", Text, nullable=False),
    UniqueConstraint("session", "seq"),
    sqlite_autoincrement=True,
)

# What a file of an older version lacks, by that version; new tables are made besides.
MIGRATIONS = {
    1: (
        "ALTER TABLE runs ADD COLUMN session TEXT",
        "CREATE INDEX IF NOT EXISTS runs_by_session ON runs (session)",
    ),
}
