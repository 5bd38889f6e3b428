"""The web BFF: GraphQL, one operation a page."""
