"""Access keys of IAM users; `rotator.py` is the driver."""
