"""The fault campaign: every network call of every pass, made to go wrong in every way, on the real parts."""
