"""The inside of capbox's Python guests: what turns an interpreter into a tool.

Standard library only; it runs in CPython 3.12 on WASI preview 1. Nothing here protects anything:
the code that is run can change all of it, and gains nothing by that. The host decides.
"""
