"""Writes that may be sent again: executed once for each key of a user, and answered the same each time."""
