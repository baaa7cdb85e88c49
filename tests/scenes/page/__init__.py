"""The page in a browser, and the people before it."""
