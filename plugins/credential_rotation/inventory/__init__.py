"""What is to be rotated: the files below `include/`, read with all their mistakes at once."""
