"""Motion in, windows out."""
