"""CURRENT and the records of every version, as secrets of Bitwarden."""
