"""The local stand-ins that the tests and the demo run against."""
