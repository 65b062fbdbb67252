"""The tools that a run may be offered: where they are found, and what runs them."""
