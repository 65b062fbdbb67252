"""Where a person types in a chat: the line editor, its completion and its history."""
