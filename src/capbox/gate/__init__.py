"""The reference monitor: every tool call passes here, and nothing else reaches a sandbox."""
