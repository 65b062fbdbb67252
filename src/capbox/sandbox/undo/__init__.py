"""What a run changes is kept before it changes: the parent's side of undo."""
