"""Sandbox PKI: two roots, run-time issuing, OCSP, CRL and RFC 3161 timestamps."""
