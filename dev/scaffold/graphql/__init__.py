"""The newcomer BFF: GraphQL."""
