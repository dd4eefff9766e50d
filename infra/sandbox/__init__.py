"""Real servers to try the system against: a PKI, a remote signing provider and a national gateway, all willing to misbehave."""
