"""Workspaces that a person has given a name and settings of their own."""
