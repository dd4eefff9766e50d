"""The error bodies of CSC API v2: {error, error_description}."""


class CscError(Exception):
    def __init__(self, description: str, *, error: str = "invalid_request", status: int = 400) -> None:
        super().__init__(description)
        self.status = status
        self.error = error
        self.description = description
