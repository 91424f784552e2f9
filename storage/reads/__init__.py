"""Batched reads: plural in, mapping or rows out, a fixed number of statements whatever the number of ids.

Each runs inside the caller's transaction, so all reads of a request see one snapshot.
"""
