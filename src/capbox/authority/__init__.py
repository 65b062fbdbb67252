"""Who may do what: grants, authorities and decisions. Pure values, no clock and no IO."""
