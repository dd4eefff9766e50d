"""`hocba-agent doctor`: one line for each thing that signing needs, with what to do when it is missing."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from hocba_agent import doctor, pairing
from hocba_agent.__main__ import main
from hocba_agent.tokens import DIRECT
from tests.unit.agent.softhsm import FINAL_TRY, LOCKED, MODULE, Tokens, certificate, der, new_key

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
    assert "Có phần mềm điều khiển" in good[-2]
    assert "Khe cắm, đầu đọc" in good[-1]


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


def test_a_certificate_that_ends_soon_is_fine_and_told_to_be_renewed(tokens: Tokens, tmp_path: Path) -> None:
    equipped(tokens, until=NOW + dt.timedelta(days=20))
    assert any("còn hiệu lực" in line and "gia hạn" in line for line in lines(tmp_path)[0])


def test_several_certificates_are_listed_apart_and_the_person_is_told_where_to_choose(tokens: Tokens, tmp_path: Path) -> None:
    """As after a renewal: two of the same person, and the old one has expired."""
    key = new_key("p256")
    old = certificate(key, since=NOW - dt.timedelta(days=60), until=NOW - dt.timedelta(days=1))
    new = certificate(key)
    tokens.add("VNPT-CA")
    tokens.put_key("VNPT-CA", key)
    for one in (old, new):
        tokens.put_certificate("VNPT-CA", der(one))
    good, bad = lines(tmp_path)
    assert any("Có 2 chứng thư số" in line and "chọn trên trang" in line for line in good)
    assert any(f"số {old.serial_number:x}" in line and "hết hạn" in line for line in bad)
    assert any(f"số {new.serial_number:x}" in line and "còn hiệu lực" in line for line in good)


def test_a_token_with_its_last_try_or_locked_is_told_before_a_pin_is_typed(tokens: Tokens, tmp_path: Path) -> None:
    equipped(tokens)
    tokens.mark(FINAL_TRY)
    assert any("Chỉ còn 1 lần nhập" in line for line in lines(tmp_path)[1])
    tokens.remove_all()
    equipped(tokens)
    tokens.mark(LOCKED)
    assert any("bị khoá mã PIN" in line and "mở khoá" in line for line in lines(tmp_path)[1])


def test_a_driver_that_does_not_start_is_told_beside_one_that_works(tokens: Tokens, tmp_path: Path) -> None:
    equipped(tokens)
    good, bad = lines(tmp_path, [str(tmp_path / "none.so"), MODULE])
    assert any("none.so" in line and "Cài lại" in line for line in bad)
    assert any("Nguyễn Văn An" in line for line in good)


def test_a_module_called_directly_is_named_as_such(tokens: Tokens, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hocba_agent.tokens._direct", {})
    equipped(tokens)
    good, _ = lines(tmp_path, [DIRECT + MODULE])
    assert f"[Đạt] Có phần mềm điều khiển thiết bị ký: {MODULE} (gọi trực tiếp)." in good
    assert any("được phép dùng để ký số" in line for line in good)


@pytest.mark.parametrize(
    ("ahead", "words"),
    [
        (dt.timedelta(seconds=-40), "[Đạt] Đồng hồ của máy tính khớp"),
        (dt.timedelta(minutes=7), "[Chưa đạt] Đồng hồ của máy tính nhanh hơn máy chủ 7 phút"),
        (dt.timedelta(days=-1), "[Chưa đạt] Đồng hồ của máy tính chậm hơn máy chủ 1440 phút"),
        (None, "[Đạt] Máy chủ không báo giờ"),
    ],
)
def test_a_clock_that_is_wrong_is_told_with_its_minutes(ahead: dt.timedelta | None, words: str) -> None:
    assert str(doctor._clock(ahead)).startswith(words)


def test_a_server_can_be_looked_at_before_the_program_is_paired(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(pairing.FOLDER_VARIABLE, str(tmp_path))
    asked = ["doctor", "--module", str(tmp_path / "none.so"), "--server"]
    assert main([*asked, "https://127.0.0.1:9"]) == 1
    assert "Không kết nối được máy chủ" in capsys.readouterr().out
    assert main([*asked, "http://127.0.0.1:9"]) == 1
    assert "phải bắt đầu bằng https://" in capsys.readouterr().out
