"""Undo and redo of a run, and what it changed: read and acted upon after it has ended."""
