"""The newcomer BFF: REST."""
