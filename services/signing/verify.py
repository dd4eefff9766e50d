"""What the signatures of a document are worth: who, in which role, when, intact, trusted, covering what, provable for how long.

Used by the pages that show a transcript with its signatures and by the auditor. Functions are pure: certificates, CRLs
and roots are DER bytes, `at` is the present (an aware datetime), for which trust is judged unless a timestamp proves an
earlier moment. Nothing is fetched.
"""

from services.means.judging.judge_pdf import verify_pdf
from services.means.judging.judge_xml import verify_xml
from services.means.judging.verdict import Coverage, DocumentVerdict, Level, Verdict, as_issued

__all__ = ["Coverage", "DocumentVerdict", "Level", "Verdict", "as_issued", "verify_pdf", "verify_xml"]
