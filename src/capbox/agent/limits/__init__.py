"""What a run may spend, and has spent: turns, tool calls, time, tokens, US dollars."""
