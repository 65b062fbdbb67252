"""A loopback server that speaks the providers' wire formats, for tests of the real SDKs."""
