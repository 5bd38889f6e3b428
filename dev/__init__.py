"""What only a developer's machine runs; never imported by the product, never deployed."""
