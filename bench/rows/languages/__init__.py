"""Rows of programs in languages that run as guests, beside their native interpreters."""
