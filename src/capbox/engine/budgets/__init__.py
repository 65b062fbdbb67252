"""Budgets as principals write them: in flags, in `config.toml`, in a program."""
