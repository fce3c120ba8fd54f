"""A row of the performance table, and what it has to reach."""

import operator
from dataclasses import dataclass
from typing import Callable

OPERATORS = {"<=": operator.le, ">=": operator.ge, "<": operator.lt}


@dataclass(frozen=True)
class Target:
    text: str
    value: Callable  # of median(variant, metric); None when it can't be told
    op: str
    bound: float

    def met(self, value):
        return OPERATORS[self.op](value, self.bound)


@dataclass(frozen=True)
class Row:
    name: str
    title: str
    run: Callable            # (context, variant) -> {metric: number}
    metrics: tuple           # those that are printed; the first one gives the ratio
    targets: tuple
    variants: tuple = ("native", "libgreen")
    higher_is_better: bool = False
    packages: tuple = ()     # of Debian
    runs: int = 5
    base: str = "native"     # what the others are compared with in print


def _divide(a, b):
    return a / b if a is not None and b else None


def absolute(metric, op, bound):
    return Target(f"{metric} {op} {bound:g}", lambda m: m("libgreen", metric), op, bound)


def faster(metric, bound, than="native"):
    """For costs: at least bound times cheaper than another variant."""
    return Target(f"{than}'s {metric} >= {bound:g}x",
                  lambda m: _divide(m(than, metric), m("libgreen", metric)), ">=", bound)


def compared(metric, op, bound, to="native"):
    """libgreen's figure divided by another variant's."""
    return Target(f"{metric} {op} {bound:g}x {to}'s",
                  lambda m: _divide(m("libgreen", metric), m(to, metric)), op, bound)
