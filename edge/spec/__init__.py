"""What a person may write in ``edge.yaml`` and in a BFF's fragment of it (architecture §6).

Owns names, types and defaults, each with its reason. Whether the parts fit each other is ``rules``' business; what of
it cannot be compiled yet is refused there too (``rules/later.py``), never ignored.
"""
