"""The record of every run: hash-chained, signed, written before the effect it records."""
