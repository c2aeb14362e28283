"""Runs the cases of `cases/` against an endpoint that speaks the AWS KMS API, and keeps the score."""
