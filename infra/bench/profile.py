"""Where the time of one run of the road went: kept as JSON, told as Markdown tables."""

from __future__ import annotations

from collections import Counter

from pydantic import BaseModel

from infra.bench.cost import Work

COSTLIEST_PROCESSES = 3
COSTLIEST_WORK = 12
DRIVER = "người dùng"
"""The bench itself: the school's people, who ask and wait."""


class StageCost(BaseModel):
    """`cpu`: processor seconds by process while the stage lasted, idle rounds included."""

    name: str
    items: int
    seconds: float
    cpu: dict[str, float]


class Memory(BaseModel):
    """Peaks in MB: of the largest single process (resident), and of all together, with shared pages counted once."""

    name: str
    largest_mb: float
    together_mb: float


class Profile(BaseModel):
    pupils: int
    accepted: int
    signatures: int
    cores: int
    seconds: float
    stages: list[StageCost]
    work: list[Work]
    memory: list[Memory]

    @property
    def pupils_a_minute(self) -> float:
        return self.accepted / self.seconds * 60

    def cpu_by_process(self) -> dict[str, float]:
        """The costliest first."""
        total: Counter[str] = Counter()
        for stage in self.stages:
            total.update(stage.cpu)
        return dict(total.most_common())


def markdown(profile: Profile) -> str:
    return "\n\n".join((_summary(profile), _stages(profile), _processes(profile), _work(profile)))


def _summary(profile: Profile) -> str:
    spent = sum(profile.cpu_by_process().values())
    busy = spent / (profile.seconds * profile.cores)
    return (
        f"{profile.accepted} of {profile.pupils} pupils accepted with {profile.signatures} signatures in {profile.seconds:.1f} s on "
        f"{profile.cores} cores: {profile.pupils_a_minute:.0f} pupils a minute. {spent:.0f} s of processor time, {busy:.0%} of what "
        f"the cores had."
    )


def _stages(profile: Profile) -> str:
    rows = []
    for stage in profile.stages:
        costly = Counter(stage.cpu).most_common(COSTLIEST_PROCESSES)
        most = ", ".join(f"{name} {seconds:.1f}" for name, seconds in costly)
        rows.append([stage.name, f"{stage.items}", f"{stage.seconds:.1f}", f"{sum(stage.cpu.values()):.1f}", most])
    return _table(["stage", "items", "seconds", "CPU s", "most of it"], rows)


def _processes(profile: Profile) -> str:
    cpu = profile.cpu_by_process()
    memory = {each.name: each for each in profile.memory}
    rows = []
    for name in sorted(cpu.keys() | memory.keys(), key=lambda name: -cpu.get(name, 0.0)):
        largest, together = ("", "") if name not in memory else (f"{memory[name].largest_mb:.0f}", f"{memory[name].together_mb:.0f}")
        rows.append([name, f"{cpu.get(name, 0.0):.1f}", largest, together])
    return _table(["process", "CPU s", "largest process, MB", "all of its processes, MB"], rows)


def _work(profile: Profile) -> str:
    rows = [[w.process, w.what, f"{w.times}", f"{w.seconds:.1f}"] for w in profile.work[:COSTLIEST_WORK]]
    return _table(["process", "kind of work", "times", "seconds"], rows)


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
