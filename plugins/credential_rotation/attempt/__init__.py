"""One locked pass over a credential, the only way in which anything is changed; `attempt.py` is its order."""
