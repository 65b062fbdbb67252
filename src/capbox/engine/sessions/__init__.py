"""Sessions: conversations that outlive a process, and what comes back when one is resumed."""
