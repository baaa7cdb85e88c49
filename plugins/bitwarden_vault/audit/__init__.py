"""Every request as a line of a chain that nobody changes unseen: the agent writes it, anybody verifies it."""
