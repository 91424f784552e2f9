"""The rules of access, pure: tables and arithmetic over immutable facts.

No clock, no SQL, no async, no GraphQL. Every rule has an id (C1–C21, P1–P13) that answers, errors and
tests carry.
"""
