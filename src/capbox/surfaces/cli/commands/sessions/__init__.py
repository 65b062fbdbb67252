"""Commands on sessions: what was said, going on with it, and what it cost."""
