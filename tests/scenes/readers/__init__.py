"""Processes that read a secret and live on, and the documents that tell of them."""
