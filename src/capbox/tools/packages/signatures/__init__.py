"""Who published a package: keys, signatures, and which key this user trusts for a namespace."""
