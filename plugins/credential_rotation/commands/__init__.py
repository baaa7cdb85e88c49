"""What people ask for beside rotations, for whichever door they come through."""
