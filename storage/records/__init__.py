"""Pure values every room may hold: ids, value sets, facts about access, rows of entities.

Nothing here imports anything but the standard library, so the rules can be read, tested and trusted
without a database.
"""
