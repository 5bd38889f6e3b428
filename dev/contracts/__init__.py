"""What clients may rely on, held: contracts compared with those before them and with what shipped clients read."""
