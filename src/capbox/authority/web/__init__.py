"""Hosts, addresses and URLs as authority sees them: pure values, one spelling each."""
