"""``python -m dev new-bff``: a BFF of one's own, from a template that runs.

``rest/`` and ``graphql/`` are the templates: real BFFs called newcomer, linted, typed and tested where they stand.
"""
