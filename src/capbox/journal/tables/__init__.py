"""What outlives a run beside its record: tables that all processes of a user share."""
