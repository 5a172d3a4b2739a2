"""Batches of windows and what changes them before training: cameras, bodies, errors of detectors."""
