"""Verification for everybody, without signing in: what a code stands for at the source, and what a file is worth."""
