"""The vault: content-addressed copies, bags, records and the ledger. Knows no catalogue, no policy, no screen."""
