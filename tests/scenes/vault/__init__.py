"""The real agent and SDK on the stand-in of Bitwarden, in order and in trouble."""
