"""Repeats a row's runs, variants in turn, and drops those that others disturbed."""

import os
import resource
import statistics
import time
from dataclasses import dataclass, field

from context import RunFailed

TICK = os.sysconf("SC_CLK_TCK")


def _machine():
    """Seconds of user, nice and system time, and of steal, on all CPUs."""
    with open("/proc/stat", encoding="ascii") as file:
        values = [int(v) / TICK for v in file.readline().split()[1:]]
    return sum(values[:3]), values[7]


def _ours():
    total = 0.0
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        usage = resource.getrusage(who)
        total += usage.ru_utime + usage.ru_stime
    return total


def disturbance(action):
    """Runs action; its result, and the share of one CPU that others took meanwhile."""
    busy, steal = _machine()
    ours, began = _ours(), time.monotonic()
    result = action()
    busy2, steal2 = _machine()
    others = (busy2 - busy) - (_ours() - ours) + (steal2 - steal)
    return result, max(0.0, others - 0.03) / max(time.monotonic() - began, 0.05)


@dataclass
class Samples:
    kept: list = field(default_factory=list)     # one dict of metrics per run
    dropped: list = field(default_factory=list)  # (share, dict) of disturbed runs
    failures: list = field(default_factory=list)

    def used(self):
        """The undisturbed runs, or else the least disturbed one."""
        if self.kept or not self.dropped:
            return self.kept
        return [min(self.dropped, key=lambda pair: pair[0])[1]]

    def values(self, metric):
        return [run[metric] for run in self.used() if metric in run]

    def median(self, metric):
        values = self.values(metric)
        return statistics.median(values) if values else None


def measure(row, context, variants, runs, limit, progress):
    """{variant: Samples}. One run of each variant, then the next round, so that
    a slow drift of the machine meets all of them alike."""
    samples = {variant: Samples() for variant in variants}
    for attempt in range(2 * runs):
        for variant in variants:
            mine = samples[variant]
            if len(mine.kept) >= runs or len(mine.failures) >= 2:
                continue
            progress(f"{row.name}: run {attempt + 1}, {variant}")
            try:
                metrics, share = disturbance(lambda v=variant: row.run(context, v))
            except RunFailed as failure:
                mine.failures.append(str(failure))
                continue
            if share > limit:
                mine.dropped.append((share, metrics))
            else:
                mine.kept.append(metrics)
    return samples
