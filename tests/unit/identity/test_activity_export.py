"""What an inspector gets: complete, safe to open, and provable with nothing but Python."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from services.chassis.audit_chain import START, Head, link
from services.chassis.audit_tell import sealed_act
from services.identity.activity import export
from services.identity.activity.search import Names, row

PLACE = "31300001"
AT = dt.datetime(2026, 5, 20, 3, 4, 5, 678_000, tzinfo=dt.UTC)
EVIL = '=HYPERLINK("https://evil.example")'


def document(service: str, entry: dict[str, Any]) -> dict[str, Any]:
    """As the collection `activity` holds it."""
    act = sealed_act(entry)
    fields = act.model_dump(exclude={"details"})
    return {"_id": f"{service}:{act.number}", "service": service, **fields, "details": json.dumps(act.details, sort_keys=True)}


def trail(service: str, number: int) -> list[dict[str, Any]]:
    head, found = START, []
    for nth in range(1, number + 1):
        bare = {
            "_id": f"{service}-entry-{nth}",
            "at": AT + dt.timedelta(minutes=nth),
            "actor": "31300001003",
            "act": "issue right set",
            "subject": EVIL,
            "place": PLACE,
            "origin": {"address": "203.0.113.7", "device": "Chrome trên Windows"},
            "request_id": "request-1",
            "details": {"before": False, "after": True, "reason": "dòng\u2028mới", "until": AT},
        }
        fields = link(bare, head)
        head = Head(fields["number"], fields["hash"])
        found.append({**bare, **fields})
    return found


def package(documents: list[dict[str, Any]], heads: dict[str, str]) -> bytes:
    order = export.Order(PLACE, "Trường Tiểu học An Hồng", "2026-05-01", "2026-05-31", "31300001003", AT)
    rows = [row(d, Names({})) for d in documents]
    return export.packed(order, [export.lines_of(d) for d in documents], rows, heads)


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    """Of the school: numbers 1, 2 and 5 of records, and 1 of identity; the rest belongs to others."""
    records, identity = trail("records", 6), trail("identity", 2)
    chosen = [document("identity", identity[0]), *(document("records", records[n]) for n in (0, 1, 4))]
    heads = {"records": f"6:{records[5]['hash']}", "identity": f"2:{identity[1]['hash']}"}
    zipfile.ZipFile(io.BytesIO(package(chosen, heads))).extractall(tmp_path)
    return tmp_path


def check(folder: Path) -> tuple[int, str]:
    """As an inspector does it: isolated from everything that is installed."""
    done = subprocess.run([sys.executable, "-I", str(folder / "kiem_tra.py")], capture_output=True, check=False)
    return done.returncode, done.stdout.decode() + done.stderr.decode()


def test_the_package_proves_itself_with_the_checker_that_lies_in_it(unpacked: Path) -> None:
    assert check(unpacked) == (0, "Đã kiểm tra 4 mục, 0 sai lệch.\n")


def test_the_manifest_names_every_file_with_its_digest_and_the_heads(unpacked: Path) -> None:
    manifest = json.loads((unpacked / "manifest.json").read_text(encoding="utf-8"))
    files = {p.name for p in unpacked.iterdir()} - {"manifest.json"}
    assert set(manifest["files"]) == files == {"DOC-TRUOC.txt", "kiem_tra.py", "nhat-ky.jsonl", "nhat-ky.xlsx"}
    for name, digest in manifest["files"].items():
        assert hashlib.sha256((unpacked / name).read_bytes()).hexdigest() == digest
    assert (manifest["place"], manifest["entries"], manifest["made_by"]) == (PLACE, 4, "31300001003")
    assert set(manifest["heads"]) == {"records", "identity"}


def rewritten(folder: Path, change: Any) -> None:
    """The entries changed by somebody who also makes the manifest anew."""
    path = folder / "nhat-ky.jsonl"
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    change(lines)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["files"]["nhat-ky.jsonl"] = hashlib.sha256(path.read_bytes()).hexdigest()
    manifest["entries"] = len(lines)
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_a_file_that_was_changed_is_named(unpacked: Path) -> None:
    with (unpacked / "nhat-ky.xlsx").open("ab") as file:
        file.write(b"x")
    status, said = check(unpacked)
    assert status == 1
    assert "nhat-ky.xlsx" in said


def test_an_entry_that_was_changed_is_named_although_the_manifest_was_made_anew(unpacked: Path) -> None:
    def change(lines: list[dict[str, Any]]) -> None:
        lines[2]["entry"]["actor"] = "31300001099"

    rewritten(unpacked, change)
    status, said = check(unpacked)
    assert status == 1
    assert "records số 2: nội dung không khớp mã băm" in said


def test_a_neighbour_that_was_made_anew_does_not_follow_any_more(unpacked: Path) -> None:
    def change(lines: list[dict[str, Any]]) -> None:
        entry = lines[1]["entry"]
        entry["actor"] = "31300001099"
        covered = json.dumps({k: v for k, v in entry.items() if k != "hash"}, sort_keys=True, separators=(",", ":"))
        entry["hash"] = hashlib.sha256(covered.encode()).hexdigest()

    rewritten(unpacked, change)
    status, said = check(unpacked)
    assert status == 1
    assert "records số 2: không nối tiếp mục số 1" in said


def test_entries_in_another_order_are_noticed(unpacked: Path) -> None:
    rewritten(unpacked, lambda lines: lines.reverse())
    assert check(unpacked)[0] == 1


def test_an_entry_without_its_details_is_said_to_be_unproved() -> None:
    whole = sealed_act(trail("records", 1)[0])
    kept = {**document("records", trail("records", 1)[0]), "details": "{}", "details_left_out": True}
    line = export.lines_of(kept)
    assert line["details_left_out"]
    assert line["entry"]["hash"] == whole.hash


def test_nothing_in_the_workbook_is_a_formula(unpacked: Path) -> None:
    sheet = load_workbook(unpacked / "nhat-ky.xlsx").worksheets[0]
    cells = [cell for cells in sheet.iter_rows() for cell in cells]
    assert {cell.data_type for cell in cells} <= {"s", "n"}
    assert EVIL in {cell.value for cell in cells}
    assert [cell.value for cell in sheet[1]] == list(export.HEADERS)
    assert sheet.max_row == 5
    assert sheet.cell(2, 1).value == "20/05/2026 10:05 +07:00"
    assert "Thay đổi: không → có" in str(sheet.cell(2, 7).value)
