"""Packages of tools: made, signed, fetched, reviewed by a person, installed, and updated."""
