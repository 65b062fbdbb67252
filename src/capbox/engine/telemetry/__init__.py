"""Runs as others watch them: lines in a log, spans for a collector."""
