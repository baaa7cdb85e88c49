"""What would keep rotations from working, told before the first one."""
