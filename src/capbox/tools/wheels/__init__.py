"""Wheels of pure Python that a person added to the tool `python`, pinned and packed into it."""
