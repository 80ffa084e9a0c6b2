"""Looking inside compiled functions: `explain` in words, `svg` as a picture."""
