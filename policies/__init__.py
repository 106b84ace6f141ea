"""What the institution has decided, as values: text in, decisions with reasons out. Imports nothing of ours."""
