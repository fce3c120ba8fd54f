"""Prints what was measured, and what was reached."""

BLANK = "-"


def number(value):
    if value is None:
        return BLANK
    size = abs(value)
    if size >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if size >= 100 else f"{value:.3g}"


def table(rows, text=(0,)):
    """Rows of cells, the first row being the heads. Columns of text are set to
    the left, those of figures to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        cells = [cell.ljust(width) if i in text else cell.rjust(width)
                 for i, (cell, width) in enumerate(zip(row, widths))]
        print("  " + "  ".join(cells).rstrip())


def _cell(samples, metric):
    values = samples.values(metric)
    if not values:
        return BLANK
    middle = number(samples.median(metric))
    if len(values) == 1:
        return middle
    return f"{middle} ({number(min(values))}-{number(max(values))})"


def print_row(row, samples):
    """Medians, with the smallest and largest in brackets."""
    print(f"\n{row.name}: {row.title}")
    first = row.metrics[0]
    base = samples[row.base].median(first) if row.base in samples else None
    lines = [["", *row.metrics, f"{first} vs {row.base}", "runs"]]
    for variant, mine in samples.items():
        value = mine.median(first)
        if base and value:
            gain = value / base if row.higher_is_better else base / value
            ratio = f"{gain:.2f}x better" if gain >= 1 else f"{1 / gain:.2f}x worse"
        else:
            ratio = BLANK
        runs = str(len(mine.used()))
        if mine.dropped:
            runs += f", {len(mine.dropped)} disturbed"
        if not mine.kept and mine.dropped:
            runs += " (the least disturbed is shown)"
        lines.append([variant, *(_cell(mine, m) for m in row.metrics),
                      "" if variant == row.base else ratio, runs])
    table(lines)
    for variant, mine in samples.items():
        for failure in mine.failures:
            print(f"  {variant} FAILED: {failure}")


def verdicts(row, samples):
    """(target, value, verdict) of each of a row's targets."""
    def median(variant, metric):
        return samples[variant].median(metric) if variant in samples else None

    for target in row.targets:
        value = target.value(median)
        if value is not None:
            verdict = "met" if target.met(value) else "NOT MET"
        elif samples.get("libgreen") and samples["libgreen"].failures:
            verdict = "FAILED"
        else:
            verdict = "not measured"
        yield target, value, verdict


def print_targets(results):
    lines = [["row", "target", "measured", "verdict"]]
    for row, samples in results:
        for target, value, verdict in verdicts(row, samples):
            lines.append([row.name, target.text, number(value), verdict])
    print("\nTargets (medians; libgreen against the others of the same run)")
    table(lines, text=(0, 1, 3))
    words = [line[3] for line in lines[1:]]
    print(f"\n{words.count('met')} met, {words.count('NOT MET')} not met, "
          f"{words.count('FAILED')} failed, {words.count('not measured')} not measured")


def as_json(results, context, machine):
    return {"machine": machine, "notes": context.notes, "rows": [
        {"name": row.name, "title": row.title,
         "variants": {variant: {"runs": mine.used(), "dropped": len(mine.dropped),
                                "failures": mine.failures,
                                "medians": {m: mine.median(m) for m in row.metrics}}
                      for variant, mine in samples.items()},
         "targets": [{"text": target.text, "value": value, "verdict": verdict}
                     for target, value, verdict in verdicts(row, samples)]}
        for row, samples in results]}
