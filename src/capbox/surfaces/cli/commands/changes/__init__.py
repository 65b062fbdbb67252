"""Commands on what a run has changed."""
