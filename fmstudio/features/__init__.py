"""Features: an image in, a `FeatureMap` on a patch grid out. Knows no maps, projects or Qt."""
