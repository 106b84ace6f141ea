"""The life of one accession, played with the real command: `make demo`."""
