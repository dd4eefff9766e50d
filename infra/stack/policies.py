"""What each service may do in the object store: read and write its own bucket, read the others' documents.

Documents travel between services by reference, so every service reads what others publish. The archive takes sealed
documents from signing; its versions are locked, so nobody may delete there.
"""

from typing import Any

READ = ["s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectRetention"]
LIST = ["s3:ListBucket", "s3:ListBucketVersions", "s3:GetBucketLocation", "s3:GetBucketVersioning"]
WRITE = ["s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
DELETE = ["s3:DeleteObject"]
ARCHIVE = "archive"
ARCHIVIST = "signing"


def policy(service: str, buckets: tuple[str, ...]) -> dict[str, Any]:
    """The policy document of a service's user. A service without a bucket of its own only reads."""
    statements = [_allow([*READ, *LIST], *buckets)]
    if service in buckets:
        statements.append(_allow([*WRITE, *DELETE], service))
    if service == ARCHIVIST:
        statements.append(_allow([*WRITE, "s3:PutObjectRetention"], ARCHIVE))
    return {"Version": "2012-10-17", "Statement": statements}


def _allow(actions: list[str], *buckets: str) -> dict[str, Any]:
    resources = [arn for bucket in buckets for arn in (f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*")]
    return {"Effect": "Allow", "Action": actions, "Resource": resources}
