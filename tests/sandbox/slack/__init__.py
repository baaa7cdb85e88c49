"""A stand-in for Slack that the real `slack_sdk` talks to: Web API, incoming webhook, Block Kit limits.

    with SlackStandIn(directory) as slack:
        WebClient(slack.token, base_url=slack.api_url).chat_postMessage(channel=slack.channel, text="…")
        slack.messages()

1. It refuses what Slack refuses, in Slack's words, so that an alert which fits here arrives there.
2. Every accepted call is a line in `messages.jsonl`; `messages()` is the channel as people see it now.
3. Its own process, which ends with whoever started it.

Not modelled: scopes, users, threads' own views, truncation of very long text, blocks that alerts do not use
(those are refused). It follows Slack's public documentation, and was never compared with Slack itself.
"""

from sandbox.slack.stand_in import SlackStandIn

__all__ = ["SlackStandIn"]
