"""The signature report of a document, and its signers' certificates to take along."""
