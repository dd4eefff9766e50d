"""What the gateway says when it refuses: codes NG-… with Vietnamese reasons. `docs/architecture/sandbox.md` lists them."""


class PackageRefused(Exception):
    """The whole package is refused at once, with an HTTP status."""

    def __init__(self, status: int, code: str, reason: str) -> None:
        super().__init__(f"{code} {reason}")
        self.status = status
        self.code = code
        self.reason = reason


class TranscriptRefused(Exception):
    """One transcript of a package is refused; the others go on."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(f"{code} {reason}")
        self.code = code
        self.reason = reason


class Untrusted(Exception):
    """A certificate that does not lead to a trusted root, or must not be relied on now. The text is Vietnamese."""
