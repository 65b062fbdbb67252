"""What a chat shows of a turn: Markdown as it comes, calls folded to a line, the line of state."""
