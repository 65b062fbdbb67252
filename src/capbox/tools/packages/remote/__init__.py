"""Packages in registries that speak the OCI distribution protocol."""
