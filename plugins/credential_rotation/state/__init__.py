"""What is no secret and is kept below `ROTATION_STATE_PATH`: losing it costs history, never a credential."""
