"""`hashlib.pbkdf2_hmac` (RFC 8018) without OpenSSL, from which CPython takes it elsewhere."""


def pbkdf2_hmac(hash_name, password, salt, iterations, dklen=None):
    """Return a key of `dklen` bytes (None: the digest's size) derived from a password."""
    import hmac

    if iterations < 1:
        raise ValueError("iteration value must be greater than 0.")
    if dklen is not None and dklen < 1:
        raise ValueError("key length must be greater than 0.")
    keyed = hmac.new(password, None, hash_name)

    def digest(text):
        one = keyed.copy()
        one.update(text)
        return one.digest()

    size = keyed.digest_size
    wanted, key, block = dklen or size, b"", 0
    while len(key) < wanted:
        block += 1
        last = digest(bytes(salt) + block.to_bytes(4, "big"))
        mixed = int.from_bytes(last, "big")
        for _ in range(iterations - 1):
            last = digest(last)
            mixed ^= int.from_bytes(last, "big")
        key += mixed.to_bytes(size, "big")
    return key[:wanted]
