"""Generators of the golden files; `python3 generate.py` in the folder above runs them."""
