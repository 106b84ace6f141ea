"""What this release is called: setup.cfg reads it here, so that nobody has to look through what is installed."""

VERSION = "0.1.0"
