"""Encrypting secrets at rest: keys, the envelope's bytes, and the place each envelope is bound to.

`sealer` seals and opens, `envelope` is the byte layout, `associated_data` binds an envelope to its
row, `key_derivation` makes keys from secrets, `key_rotation` holds the keyring, and
`cipher_cache` keeps derived ciphers for a short time.
"""
