"""What a deployment tells a Slack channel."""
