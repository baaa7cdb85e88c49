"""Which living process read which version of which secret, and how other hosts get to know it."""
