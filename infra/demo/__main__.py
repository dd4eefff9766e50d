"""`make demo`: bring the system up and take a school through the whole road."""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from infra.demo.people import Refusal
from infra.demo.road import SANDBOXES, Outcome, Road
from infra.demo.school import read
from infra.local import down, load_states, up_detached

ROOT = Path(__file__).resolve().parents[2]


def say(text: str) -> None:
    print(text, flush=True)


async def demo(folder: Path, out: Path, instance: str) -> int:
    export = read(folder)
    say(f"{export.school.name}: {export.pupils} học sinh, {len(export.classes)} lớp, {len(export.staff)} cán bộ")
    forget_earlier(out)
    down(instance)
    info = up_detached(instance, fresh=True)
    road = Road(info, export, say, tuple(SANDBOXES))
    failure = ""
    try:
        await road.run()
    except (Refusal, TimeoutError) as problem:
        failure = str(problem)
    outcome = road.outcome
    if not failure:
        await road.save_documents(out / "documents")
    save_trust(info, out / "trust")
    processes = peak_memory(instance)
    summary = {
        "school": outcome.school,
        "pupils": outcome.pupils,
        "created": outcome.created,
        "refused": outcome.refused,
        "signatures": outcome.signatures,
        "accepted": outcome.accepted,
        "stages": [asdict(s) for s in outcome.stages],
        "processes": processes,
    }
    write_summary(out, summary)
    table(outcome, processes, info, out)
    if failure:
        say(f"DỪNG: {failure}\nNhật ký: {info['logs']}")
        return 1
    wrong = wrongly_judged(folder, outcome)
    for pupil in wrong:
        say(f"  khác với expected.json: {pupil}")
    return 1 if wrong or outcome.accepted != export.pupils - len({r["pupil"] for r in outcome.refused}) else 0


def wrongly_judged(folder: Path, outcome: Outcome) -> list[str]:
    """Pupils refused although complete, or created although not, as far as the folder says who is (`expected.json`)."""
    told = folder / "expected.json"
    if not told.is_file():
        return []
    expected = json.loads(told.read_text(encoding="utf-8"))
    incomplete = {each["pupil"] for each in (*expected["defects"], *expected["contradictions"])}
    return sorted(incomplete ^ {r["pupil"] for r in outcome.refused})


def forget_earlier(out: Path) -> None:
    """What an earlier run left was signed under another trust and would not validate with this one's."""
    for made in ("documents", "trust"):
        shutil.rmtree(out / made, ignore_errors=True)
    (out / "summary.json").unlink(missing_ok=True)


def save_trust(info: dict[str, Any], folder: Path) -> None:
    """Roots as PEM and CRLs, so that anybody can validate the documents with other tools."""
    shutil.copytree(info["sandbox"]["trust"], folder)
    for crl in sorted((Path(info["sandbox"]["dir"]) / "crl").glob("*.crl")):
        shutil.copy(crl, folder / crl.name)


def write_summary(out: Path, summary: dict[str, Any]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    (out / "summary.json").write_text(json.dumps(summary, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def peak_memory(instance: str) -> list[dict[str, Any]]:
    """Of the largest single process (resident), and of it with its children, shared pages counted once."""
    sizes = ("peak_rss_mb", "peak_pss_mb")
    return [{"name": name, **{size: round(state[size], 1) for size in sizes}} for name, state in sorted(load_states(instance).items())]


def table(outcome: Outcome, processes: list[dict[str, Any]], info: dict[str, Any], out: Path) -> None:
    say("\nGiai đoạn                          Số lượng     Giây   Mỗi giây")
    for stage in outcome.stages:
        rate = stage.items / stage.seconds if stage.seconds else 0
        say(f"{stage.name:<34} {stage.items:>8} {stage.seconds:>8.1f} {rate:>10.1f}")
    total = sum(s.seconds for s in outcome.stages)
    say(f"{'Tổng':<34} {outcome.accepted:>8} {total:>8.1f}")
    say(f"\nHọc sinh {outcome.pupils}, đã tạo {outcome.created}, chữ ký {outcome.signatures}, đã tiếp nhận {outcome.accepted}")
    for r in outcome.refused:
        say(f"  không tạo: {r['pupil']} lớp {r['class']}: {r['field']}: {r['reason']}")
    say("\nBộ nhớ cao nhất (MB; trong ngoặc: cùng các tiến trình con): ")
    say(", ".join(f"{p['name']} {p['peak_rss_mb']:.0f} ({p['peak_pss_mb']:.0f})" for p in processes))
    say(f"\nTài liệu đã ký: {out / 'documents'}; chứng thư gốc và CRL: {out / 'trust'}")
    say(f"Địa chỉ: {info['public_url']} (chứng chỉ TLS do CA tại {info['ca_file']} cấp)")
    for login in outcome.logins:
        say(f"  {login['role']:<28} phiên bản {login['version']:<10} {login['username']:<16} {login['password']}")
    say("Dừng hệ thống: make down")


def main() -> None:
    parser = argparse.ArgumentParser(prog="infra.demo", description=__doc__)
    parser.add_argument("--school", type=Path, default=ROOT / "samples" / "an-hong")
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "demo")
    parser.add_argument("--instance", default="demo")
    options = parser.parse_args()
    sys.exit(asyncio.run(demo(options.school, options.out, options.instance)))


if __name__ == "__main__":
    main()
