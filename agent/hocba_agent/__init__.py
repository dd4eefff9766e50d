"""The signing program for a person's computer: it brings a USB token (PKCS#11) to the server, and keeps the PIN to itself."""

__version__ = "0.1.0"
