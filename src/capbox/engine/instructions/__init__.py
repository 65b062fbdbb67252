"""Reads what belongs into a system prompt: the person's own words, and what a workspace says."""
