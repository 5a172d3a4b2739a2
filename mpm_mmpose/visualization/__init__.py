"""Pictures of poses and of training: files out, nothing on a screen, no global drawing state."""
