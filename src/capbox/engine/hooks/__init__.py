"""Hooks: what the operator or the program is asked, and told, while a run goes on."""
