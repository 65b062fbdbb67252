"""The commands for packages of tools."""
