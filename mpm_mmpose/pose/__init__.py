"""What a pose is: keypoints, bones, geometry, rotations; pure functions."""
