"""The search for secret values wherever one could be read."""
