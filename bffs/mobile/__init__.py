"""The mobile BFF: REST, one call a screen, for phones on bad networks."""
