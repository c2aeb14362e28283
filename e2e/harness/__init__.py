"""What the black-box tests share: a running server, real clients, raw requests."""
