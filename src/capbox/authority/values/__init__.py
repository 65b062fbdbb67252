"""Typed values in the arguments of tools: their spelling, what is asked of them, their source."""
