"""What a program that embeds capbox has of sessions and workspaces."""
