"""All rows, by service."""

from __future__ import annotations

from tests.access import (
    rows_district,
    rows_identity_accounts,
    rows_identity_certificates,
    rows_identity_school,
    rows_publishing,
    rows_records,
    rows_records_digitisation,
    rows_records_files,
    rows_records_summaries,
    rows_records_year,
    rows_signing,
)

MATRIX = {
    "identity": (*rows_identity_accounts.ROWS, *rows_identity_school.ROWS, *rows_identity_certificates.ROWS),
    "records": (
        *rows_records.ROWS,
        *rows_records_year.ROWS,
        *rows_records_files.ROWS,
        *rows_records_summaries.ROWS,
        *rows_records_digitisation.ROWS,
    ),
    "signing": rows_signing.ROWS,
    "publishing": rows_publishing.ROWS,
    "district": rows_district.ROWS,
}
