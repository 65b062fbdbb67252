"""Packages that are installed: put in place whole, replaced whole, and taken away."""
