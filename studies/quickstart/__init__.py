"""From motion to a tested lifter in minutes, with motion that is generated."""
