"""Trainings that are killed anywhere end the same."""
