"""Makes this the package `tests`, whatever else is installed under that name."""
