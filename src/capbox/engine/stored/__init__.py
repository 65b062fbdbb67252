"""Approvals that were given for always: kept outside of every workspace."""
