"""Runs that are on record, executed once more on a copy of their tree, by their record alone."""
