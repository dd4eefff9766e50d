"""What `make bench` writes, and how it measures processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from infra.bench.cost import Work, between, cpu_seconds, work_in
from infra.bench.figures import Figure, read, write
from infra.bench.profile import Memory, Profile, StageCost, markdown
from infra.bench.registry import BENCHMARKS
from infra.bench.report import BEGIN, END, filled
from infra.bench.report import main as report
from infra.bench.road import make_school
from infra.demo.school import read as read_school
from infra.stack.leftovers import Seen, seen
from infra.stack.memory import LOOK_AGAIN_SECONDS, Peaks, proportional_mb

FORM = {
    "type": "array",
    "items": {
        "type": "object",
        "additionalProperties": False,
        "required": ["name", "value", "unit", "peer", "peer_value", "ratio", "command"],
        "properties": {
            "name": {"type": "string", "minLength": 1},
            "unit": {"type": "string", "minLength": 1},
            "peer": {"type": "string", "minLength": 1},
            "command": {"type": "string", "pattern": "^make bench "},
            "value": {"type": "number", "exclusiveMinimum": 0},
            "peer_value": {"type": "number", "exclusiveMinimum": 0},
            "ratio": {"type": "number", "exclusiveMinimum": 0},
        },
    },
}
METRICS = """\
# TYPE work_seconds histogram
work_seconds_bucket{work="rendering",le="+Inf"} 4.0
work_seconds_count{work="rendering"} 4.0
work_seconds_sum{work="rendering"} 2.5
work_seconds_count{work="creation"} 0.0
work_seconds_sum{work="creation"} 0.0
# TYPE event_age_seconds histogram
event_age_seconds_count{group="g",topic="t"} 9.0
event_age_seconds_sum{group="g",topic="t"} 90.0
# TYPE http_server_request_duration_seconds histogram
http_server_request_duration_seconds_count{http_request_method="GET",http_response_status_code="200",http_route="/api/x"} 3.0
http_server_request_duration_seconds_sum{http_request_method="GET",http_response_status_code="200",http_route="/api/x"} 0.75
http_server_request_duration_seconds_count{http_request_method="GET",http_response_status_code="404",http_route="/api/x"} 1.0
http_server_request_duration_seconds_sum{http_request_method="GET",http_response_status_code="404",http_route="/api/x"} 0.25
"""


def figure(name: str, value: float) -> Figure:
    return Figure(
        name=name, value=value, unit="pupils a minute", peer="script", peer_value=4, ratio=value / 4, command="make bench NAMES=x"
    )


def profile() -> Profile:
    stages = [
        StageCost(name="Tạo học bạ", items=20, seconds=10, cpu={"mongod": 2.0, "records-worker": 6.0}),
        StageCost(name="Gửi và tiếp nhận", items=20, seconds=20, cpu={"mongod": 1.0, "sandbox-gateway": 15.0}),
    ]
    return Profile(
        pupils=21,
        accepted=20,
        signatures=200,
        cores=2,
        seconds=30,
        stages=stages,
        work=[Work(process="records-worker", what="work rendering", times=4, seconds=2.5)],
        memory=[Memory(name="records-worker", largest_mb=120.4, together_mb=230.6)],
    )


def test_figures_are_a_list_of_one_form_and_a_new_one_replaces_the_old_of_its_name(tmp_path: Path) -> None:
    file = tmp_path / "new" / "bench.json"
    write(file, [figure("road", 100), figure("api", 7)])
    write(file, [figure("road", 120)])
    told = json.loads(file.read_text(encoding="utf-8"))
    Draft202012Validator(FORM).validate(told)
    assert [(each["name"], each["value"], each["ratio"]) for each in told] == [("api", 7, 1.75), ("road", 120, 30)]
    assert read(file) == [figure("api", 7), figure("road", 120)]


@pytest.mark.parametrize("wrong", [{"value": 0}, {"name": "Road x"}, {"peer": ""}, {"extra": 1}])
def test_a_figure_of_another_form_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Figure.model_validate({**figure("road", 1).model_dump(), **wrong})


def test_every_benchmark_is_known_by_a_name_that_a_figure_may_have() -> None:
    assert "road" in BENCHMARKS
    assert [figure(name, 1).name for name in BENCHMARKS] == list(BENCHMARKS)


def test_the_school_has_at_least_as_many_pupils_as_asked_for_and_nobody_incomplete(tmp_path: Path) -> None:
    export = read_school(make_school(tmp_path, 12))
    assert (export.pupils, export.incomplete, len(export.classes)) == (15, 0, 5)
    smaller = read_school(make_school(tmp_path, 3))
    assert smaller.pupils == 5


def test_processor_time_is_counted_with_that_of_children_alive_and_ended() -> None:
    burn = "t=__import__('time').process_time\nwhile t() < 0.3: pass\n"
    script = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {burn!r}])\n{burn}print('done', flush=True)\ninput()"
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "done\n"
        spent = cpu_seconds({"ours": process.pid, "nobody": 2**22 + 1})
    finally:
        process.communicate("\n")
    assert spent["nobody"] == 0
    assert 0.55 <= spent["ours"] < 5


def test_what_a_stage_cost_is_the_difference_and_a_process_that_began_anew_counts_from_nothing() -> None:
    before, after = {"a": 1.0, "b": 5.0, "c": 2.0}, {"a": 3.5, "b": 0.5, "c": 2.001, "d": 1.0}
    assert between(before, after) == {"a": 2.5, "b": 0.5, "d": 1.0}


def test_work_is_read_from_metrics_by_kind_without_ages_and_without_what_never_happened() -> None:
    assert work_in("records-web", METRICS) == [
        Work(process="records-web", what="work rendering", times=4, seconds=2.5),
        Work(process="records-web", what="GET /api/x", times=4, seconds=1.0),
    ]


def test_the_profile_says_how_many_pupils_a_minute_and_which_process_cost_most() -> None:
    text = markdown(profile())
    assert "40 pupils a minute" in text
    assert "24 s of processor time, 40% of what the cores had" in text
    assert "| Gửi và tiếp nhận | 20 | 20.0 | 16.0 | sandbox-gateway 15.0, mongod 1.0 |" in text
    assert text.index("| sandbox-gateway | 15.0 |") < text.index("| records-worker | 6.0 | 120 | 231 |") < text.index("| mongod | 3.0 |")
    assert "| records-worker | work rendering | 4 | 2.5 |" in text


def test_the_report_replaces_what_stands_between_its_marks_and_nothing_else(tmp_path: Path) -> None:
    page, kept = tmp_path / "page.md", tmp_path / "profile.json"
    page.write_text(f"# Đường đi\n\n{BEGIN}\nold\n{END}\n\nafter\n", encoding="utf-8")
    kept.write_text(profile().model_dump_json(), encoding="utf-8")
    for _ in range(2):
        report(["--profile", str(kept), "--page", str(page), "--write"])
    assert page.read_text(encoding="utf-8") == f"# Đường đi\n\n{BEGIN}\n{markdown(profile())}\n{END}\n\nafter\n"


@pytest.mark.parametrize("page", ["no marks", f"{END} {BEGIN}", f"{BEGIN} {BEGIN} {END}"])
def test_a_page_without_one_pair_of_marks_is_left_alone(page: str) -> None:
    with pytest.raises(ValueError, match="needs one"):
        filled(page, "text")


def row(pid: int, resident_mb: float) -> Seen:
    return Seen(pid=pid, session=1, started=1, resident_mb=resident_mb, zombie=False)


def test_the_largest_single_process_and_the_shares_of_all_are_peaks_of_their_own() -> None:
    peaks = Peaks()
    peaks.take([row(1, 100), row(2, 150)], 0, lambda each: each.resident_mb - 40)
    peaks.take([row(1, 170)], 100, lambda each: each.resident_mb)
    assert (peaks.largest_mb, peaks.together_mb) == (170, 170)
    peaks.take([row(1, 90), row(2, 90), row(3, 90)], 200, lambda _: 60)
    assert (peaks.largest_mb, peaks.together_mb) == (170, 180)


def test_shares_are_asked_for_when_memory_has_grown_or_some_time_has_passed_and_never_in_vain() -> None:
    asked: list[float] = []
    peaks = Peaks()

    def look(now: float, *resident: float) -> None:
        def share(each: Seen) -> float:
            asked.append(now)
            return each.resident_mb * 0.8

        peaks.take([row(n, mb) for n, mb in enumerate(resident)], now, share)

    look(0, 100)
    look(1, 100)
    look(2, 101)
    look(3, 110)
    look(3 + LOOK_AGAIN_SECONDS, 105)
    look(20, 80)
    look(40)
    assert asked == [0, 3, 3 + LOOK_AGAIN_SECONDS]
    assert peaks.together_mb == pytest.approx(88)


def test_pages_that_parent_and_child_share_count_once() -> None:
    held = bytearray(os.urandom(1) * 64 * 2**20)
    assert len(held) == 64 * 2**20
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.read(reader, 1)
        os._exit(0)
    try:
        deadline = time.monotonic() + 30
        while (row_of_child := seen(child)) is None or row_of_child.resident_mb < 64:
            assert time.monotonic() < deadline
        own = seen(os.getpid())
        assert own is not None
        shared = proportional_mb(row_of_child)
        assert 32 <= shared < row_of_child.resident_mb - 30
        assert proportional_mb(own) < own.resident_mb - 30
    finally:
        os.write(writer, b"x")
        os.waitpid(child, 0)
        os.close(reader)
        os.close(writer)


def test_a_process_that_is_gone_has_no_share() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert proportional_mb(row(process.pid, 100)) == 0
