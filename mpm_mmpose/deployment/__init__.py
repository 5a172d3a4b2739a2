"""Trained models for other runtimes: what is written, and how well and how fast it runs."""
