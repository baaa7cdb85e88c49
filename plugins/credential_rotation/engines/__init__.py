"""One driver per kind of target."""
