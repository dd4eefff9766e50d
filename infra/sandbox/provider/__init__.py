"""Sandbox remote signing provider: Cloud Signature Consortium API v2 with asynchronous confirmation on "the phone"."""
