"""Whole jobs in one call."""
