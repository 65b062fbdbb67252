"""The tree of a run as it was before it: a copy, taken back, and what cannot be known of it."""
