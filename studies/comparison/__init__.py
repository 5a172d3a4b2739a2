"""Our lifters beside MMPose's own, trained on one store, tested on the same frames."""
