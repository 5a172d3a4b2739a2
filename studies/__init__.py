"""What exists to make a page of evidence; no part of the package."""
