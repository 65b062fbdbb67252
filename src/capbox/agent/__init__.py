"""The agent loop: one task worked on by a model with tools, within limits, told as events."""
