"""The demos on a real, calibrated clip."""
