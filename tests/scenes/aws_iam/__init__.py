"""IAM users with keys, simulated and on AWS's stand-in."""
