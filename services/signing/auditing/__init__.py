"""Proof that what is stored is what was signed: stored documents are read and examined again, all of them, for ever."""
