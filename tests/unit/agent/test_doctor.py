"""`hocba-agent doctor`: one line for each thing that signing needs, with what to do when it is missing."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from hocba_agent import doctor, pairing
from tests.unit.agent.softhsm import MODULE, Tokens, certificate, der, new_key

NOW = dt.datetime.now(dt.UTC)


def equipped(tokens: Tokens, **more: Any) -> None:
    key = new_key("p256")
    tokens.add("VNPT-CA")
    tokens.put_key("VNPT-CA", key)
    tokens.put_certificate("VNPT-CA", der(certificate(key, **more)))


def lines(at: Path, modules: list[str] | None = None) -> tuple[list[str], list[str]]:
    """(good, bad)"""
    found = doctor.examine(at, [MODULE] if modules is None else modules, NOW)
    assert all(line.advice for line in found if not line.good), "every bad line says what to do"
    return [str(line) for line in found if line.good], [str(line) for line in found if not line.good]


def test_a_computer_that_is_not_paired_is_told_so(tokens: Tokens, tmp_path: Path) -> None:
    equipped(tokens)
    good, bad = lines(tmp_path)
    assert len(bad) == 1
    assert "chưa ghép nối" in bad[0]
    assert any("VNPT-CA" in line for line in good)
    assert any("Nguyễn Văn An" in line for line in good)
    assert any("còn hiệu lực" in line for line in good)
    assert any("được phép dùng để ký số" in line for line in good)


def test_a_server_that_does_not_answer_is_told(tokens: Tokens, tmp_path: Path) -> None:
    equipped(tokens)
    pairing.save(pairing.Pairing("https://127.0.0.1:9", "a", "An", "s", {"keys": []}), tmp_path)
    _, bad = lines(tmp_path)
    assert len(bad) == 1
    assert "Không kết nối được máy chủ" in bad[0]


def test_a_missing_driver_is_told(tmp_path: Path) -> None:
    _, bad = lines(tmp_path, [str(tmp_path / "none.so")])
    assert "none.so" in bad[-1]


def test_a_missing_token_is_told(tokens: Tokens, tmp_path: Path) -> None:
    good, bad = lines(tmp_path)
    assert "Không tìm thấy thiết bị ký" in bad[-1]
    assert "Có phần mềm điều khiển" in good[-1]


def test_a_token_without_a_certificate_is_told(tokens: Tokens, tmp_path: Path) -> None:
    tokens.add("rỗng")
    assert "Không tìm thấy chứng thư số" in lines(tmp_path)[1][-1]


def test_an_expired_certificate_is_told_with_its_day(tokens: Tokens, tmp_path: Path) -> None:
    equipped(tokens, since=NOW - dt.timedelta(days=60), until=dt.datetime(2026, 10, 31, 5, tzinfo=dt.UTC))
    bad = lines(tmp_path)[1]
    assert any("hết hạn ngày 31/10/2026" in line and "gia hạn" in line for line in bad)


def test_a_certificate_that_is_not_for_signing_is_told(tokens: Tokens, tmp_path: Path) -> None:
    equipped(tokens, signing=False)
    assert any("không dùng để ký" in line for line in lines(tmp_path)[1])
