"""Foreign data sets to pose stores."""
