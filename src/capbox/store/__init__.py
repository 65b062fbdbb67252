"""What people look back at: runs and their events, in a database of their own."""
