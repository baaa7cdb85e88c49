"""What several tests of one engine start from."""
