"""The parent's side of every network effect: URLs, addresses, connections, exchanges, secrets."""
