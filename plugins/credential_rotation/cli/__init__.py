"""The command line; `main.py` has the commands."""
