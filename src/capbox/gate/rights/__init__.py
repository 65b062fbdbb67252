"""What one call may do and see."""
