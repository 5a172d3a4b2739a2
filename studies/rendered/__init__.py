"""People drawn as shaded figures: images and videos whose 2D and 3D keypoints are known exactly."""
