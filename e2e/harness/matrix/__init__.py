"""The authorization matrix: every KMS operation, called by every kind of caller, on every kind of key."""
