"""What pre-training gives."""
