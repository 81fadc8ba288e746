"""What a sweep found: results.csv with every run of its folder, summary.json and report.html of those asked for."""

import base64
import csv
import io
import json
import math
import statistics
from numbers import Real

import filelock
import jinja2

from mnist_course import sweep_runs
from mnist_course.files import write_whole

_BLUE, _VERMILLION = "#0072B2", "#D55E00"  # Okabe and Ito
_LOWER_IS_BETTER = ("loss", "error", "seconds", "misread")


def _is_seed(name):
    """Say whether a parameter of this name only makes one run differ from another of the same kind."""
    return name.lower() == "seed" or name.lower().endswith("_seed")


def choose_result(rows, wanted=None):
    """Return the name of the key result to look at: `wanted`, else the first accuracy, else the first, or None.

    ValueError when no run has a number of the name `wanted`.
    """
    names = _names(rows, "results")
    if wanted and rows and names and wanted not in names:
        raise ValueError(f"No run recorded {wanted!r}: choose from {', '.join(names)}.")
    return wanted or next((name for name in names if "accuracy" in name), names[0] if names else None)


def best_row(rows, result):
    """Return the row with the best value of a key result, the lowest of a loss, else the highest; None without any."""
    known = [row for row in rows if _is_number(row["results"].get(result))]
    better = min if any(word in (result or "") for word in _LOWER_IS_BETTER) else max
    return better(known, key=lambda row: row["results"][result], default=None)


def _is_number(value):
    return isinstance(value, Real) and math.isfinite(value)


def _names(rows, kind):
    """Return the names of all parameters or numeric results of the rows, in the order in which they come."""
    found = {}
    for row in rows:
        found |= {name: None for name, value in row[kind].items() if kind == "parameters" or isinstance(value, Real)}
    return list(found)


def _varying(rows):
    """Return the names of the parameters that differ between the rows, without seeds, in order."""
    values = {name: {repr(row["parameters"].get(name)) for row in rows} for name in _names(rows, "parameters")}
    return [name for name, different in values.items() if len(different) > 1 and not _is_seed(name)]


def groups(rows):
    """Return what the runs that differ in the seed only have in common, a list of dictionaries.

    Each has "parameters" (those that differ between groups), "runs" (how many are done) and "results": {name: (mean,
    standard deviation or None for a single run)}.
    """
    names, found = _varying(rows), {}
    for row in rows:
        found.setdefault(tuple(repr(row["parameters"].get(name)) for name in names), []).append(row)
    return [_group(members, names) for members in found.values()]


def _group(members, names):
    done, results = [row for row in members if row["status"] == "done"], {}
    for name in _names(done, "results"):
        numbers = [row["results"][name] for row in done if _is_number(row["results"].get(name))]
        if numbers:
            deviation = statistics.stdev(numbers) if len(numbers) > 1 else None
            results[name] = (statistics.mean(numbers), deviation)
    parameters = {name: members[0]["parameters"].get(name) for name in names}
    return {"parameters": parameters, "runs": len(done), "results": results}


def core_hours(rows):
    """Return what the runs took, in hours of one core; of each its last try."""
    return sum(row["seconds"] * row["cores"] for row in rows) / 3600


# ---------------------------------------------------------------- files


def write_tables(planned, rows, result=None):
    """Write results.csv, summary.json and report.html for the rows of a plan; return the path of the report.

    results.csv has every run of the folder that the same code did, each once, so that sweeps at the same time in one
    folder leave a whole table. OSError when the disk is full.
    """
    folder = planned["folder"]
    folder.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(folder / ".tables.lock"):
        asked = {row["identity"] for row in rows}
        others = [row for row in _rows_in(folder) if row["code"] == planned["work"].code]
        every = [*rows, *(row for row in others if row["identity"] not in asked)]
        write_whole(folder / "results.csv", _table(every, folder))
        write_whole(folder / "summary.json", json.dumps(_summary(planned, rows), indent=1, default=str) + "\n")
        write_whole(folder / "report.html", _page(planned, rows, result))
    return folder / "report.html"


def _rows_in(folder):
    """Return the rows of all runs in a sweep's folder, a failed one unless the run is done too."""
    paths = sorted((folder / "runs").glob("[0-9a-f]*"), key=lambda path: path.suffix != ".failed")
    rows = {path.name.removesuffix(".failed"): sweep_runs.read_row(path) for path in paths}  # what is done comes last
    return [row for row in rows.values() if row]


def _place(row, folder):
    """Return the path of what a run left, from the sweep's folder: the executed notebook, or the run's folder."""
    ending = "" if row["status"] == "done" else ".failed"
    place = f"runs/{row['identity']}{ending}"
    notebook = f"{place}/{row['work']}.ipynb"
    return notebook if (folder / notebook).exists() else place if (folder / place).exists() else ""


def _table(rows, folder):
    parameters, results, text = _names(rows, "parameters"), _names(rows, "results"), io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow([*parameters, *results, "status", "seconds", "cores", "machine", "error", "place"])
    for row in rows:
        chosen = [row["parameters"].get(name, "") for name in parameters]
        chosen += [row["results"].get(name, "") for name in results]
        facts = [row[name] for name in ("status", "seconds", "cores", "machine")]
        table.writerow([*chosen, *facts, row["error"] or "", _place(row, folder)])
    return text.getvalue()


def _summary(planned, rows):
    counted = {status: sum(row["status"] == status for row in rows) for status in ("done", "failed")}
    shown = ("parameters", "results", "status", "seconds", "cores", "machine", "error")
    return {
        "work": planned["work"].name,
        "runs": len(planned["runs"]),
        **counted,
        "waiting": len(planned["runs"]) - len(rows),
        "core_hours": round(core_hours(rows), 4),
        "groups": groups(rows),
        "rows": [{name: row[name] for name in shown} for row in rows],
    }


# ---------------------------------------------------------------- the page

_PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>Sweep of {{ work }}</title>
<style>
body { font: 16px/1.45 sans-serif; margin: 2em auto; max-width: 70em; padding: 0 1em; color: #222 }
table { border-collapse: collapse; margin: 0.5em 0 1.5em; display: block; overflow-x: auto }
th, td { border: 1px solid #bbb; padding: 0.3em 0.7em; text-align: right; vertical-align: top; white-space: nowrap }
th { background: #f2f2f2 }
.text { text-align: left }
td.text { white-space: normal; min-width: 8em }
tr.failed td { background: #fbe3cc }
img { max-width: 100%; height: auto }
</style>
<h1>Sweep of {{ work }}</h1>
<p>{{ done }} of {{ runs }} runs are done
{%- if failed %}, {{ failed }} failed{% endif %}{% if waiting %}, {{ waiting }} are not run yet{% endif %}.
Together they took {{ "%.2f" | format(core_hours) }} hours of one core.
{% if fixed %}In all of them: {{ fixed }}.{% endif %}</p>
{% if picture %}
<h2>{{ result | capitalize }}</h2>
<p><img alt="{{ alt }}" src="data:image/png;base64,{{ picture }}"></p>
<p>{{ reading }}</p>
{% endif %}
{% if groups %}
<h2>Mean and standard deviation{% if seed %} over {{ seed }}{% endif %}</h2>
<table>
<tr>{% for name in names %}<th>{{ name }}</th>{% endfor %}<th>runs</th>
{%- for name in results %}<th>{{ name }}</th>{% endfor %}</tr>
{% for group in groups %}
<tr>{% for name in names %}<td>{{ group.parameters[name] }}</td>{% endfor %}<td>{{ group.runs }}</td>
{%- for name in results %}<td>{{ spread(group.results.get(name)) }}</td>{% endfor %}</tr>
{% endfor %}
</table>
{% endif %}
<h2>Every run</h2>
<table>
<tr>{% for name in every_name %}<th>{{ name }}</th>{% endfor %}{% for name in results %}<th>{{ name }}</th>{% endfor %}
<th>status</th><th>seconds</th><th class="text">what it left</th></tr>
{% for row in rows %}
<tr class="{{ row.status }}">{% for name in every_name %}<td>{{ row.parameters.get(name, "") }}</td>{% endfor %}
{%- for name in results %}<td>{{ number(row.results.get(name)) }}</td>{% endfor %}
<td>{{ row.status }}</td><td>{{ "%.0f" | format(row.seconds) }}</td>
<td class="text">
{% if row.place %}<a href="{{ row.place }}">{{ "notebook" if ".ipynb" in row.place else "folder" }}</a>{% endif %}
{{ row.error or "" }}</td></tr>
{% endfor %}
</table>
"""


def _page(planned, rows, wanted):
    folder = planned["folder"]
    result, names = choose_result(rows, wanted), _varying(rows)
    differing = [name for name in _names(rows, "parameters") if _is_seed(name)] + names
    every_name = [name for name in _names(rows, "parameters") if name in differing]
    fixed = {name: value for row in rows for name, value in row["parameters"].items() if name not in differing}
    seeds = [name for name in every_name if _is_seed(name) and len({row["parameters"].get(name) for row in rows}) > 1]
    picture = _draw(rows, result, names) if any(row["results"] for row in rows) else None
    page = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(_PAGE)
    return page.render(
        **_summary(planned, rows) | {"rows": [row | {"place": _place(row, folder)} for row in rows]},
        **{"fixed": ", ".join(f"{name} {value}" for name, value in fixed.items()), "result": result, "names": names},
        **{"results": _names(rows, "results"), "every_name": every_name, "seed": ", ".join(seeds)},
        **{"spread": spread, "number": _number, "picture": picture, **_words(rows, result, names)},
    )


def _number(value):
    return f"{value:.6g}" if isinstance(value, Real) else value or ""


def spread(pair):
    """Say a mean and its standard deviation, both with the digits that the deviation lets count."""
    if pair is None:
        return ""
    mean, deviation = pair
    if not deviation:
        return f"{mean:.6g}"
    digits = min(8, max(0, 1 - math.floor(math.log10(deviation))))
    return f"{mean:.{digits}f} ± {deviation:.{digits}f}"


def _words(rows, result, names):
    """Return the alt text of the picture, and the sentence that reads it."""
    kinds = [group for group in groups(rows) if result in group["results"]]
    if not kinds:
        return {"alt": "", "reading": ""}
    lower = any(word in result for word in _LOWER_IS_BETTER)
    best = (min if lower else max)(kinds, key=lambda group: group["results"][result][0])
    named = ", ".join(f"{name} {value}" for name, value in best["parameters"].items())
    values = "; ".join(
        f"{', '.join(f'{name} {value}' for name, value in group['parameters'].items()) or 'all runs'}: "
        f"{spread(group['results'][result])}"
        for group in kinds[:12]
    )
    alt = f"{result} over {' and '.join(names[:2]) or 'the runs'}: {values}"
    if len(kinds) == 1:
        return {"alt": alt, "reading": f"Mean {spread(best['results'][result])} over {best['runs']} runs."}
    which = "lowest" if lower else "highest"
    caution = "Some settings have fewer than three runs, too few to tell settings from luck." if any(
        group["runs"] < 3 for group in kinds
    ) else "Means that lie within each other's spread may differ by luck."  # fmt: skip
    return {"alt": alt, "reading": f"The {which} mean, {spread(best['results'][result])}, has {named}. {caution}"}


def _draw(rows, result, names):
    """Return the picture of a key result over one or two parameters as the text of a PNG."""
    from matplotlib.figure import Figure  # here because it takes a second

    figure = Figure(figsize=(7.5, 4.2), layout="tight")
    ax = figure.subplots()
    known = [row for row in rows if _is_number(row["results"].get(result))]
    if len(names) >= 2:
        _draw_field(figure, ax, known, result, *names[:2])
    else:
        _draw_line(ax, known, result, names[0] if names else None)
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=110)
    return base64.b64encode(file.getvalue()).decode()


def _ordered(values):
    """Return the different values in order, numbers before texts."""
    return sorted(set(values), key=lambda value: (isinstance(value, str), value is None, value or 0))


def _draw_line(ax, rows, result, name):
    """Draw every run as a dot, the mean over the seeds as a line with bars of one standard deviation."""
    ticks = _ordered(row["parameters"].get(name) for row in rows) if name else ["all runs"]
    for at, tick in enumerate(ticks):
        chosen = [row["results"][result] for row in rows if not name or row["parameters"].get(name) == tick]
        ax.plot([at] * len(chosen), chosen, "o", color=_BLUE, alpha=0.5, label=None if at else "a run")
        deviation = statistics.stdev(chosen) if len(chosen) > 1 else 0
        ax.errorbar(
            at + 0.12, statistics.mean(chosen), deviation, color=_VERMILLION, marker="s", capsize=4,
            label=None if at else "mean ± standard deviation",
        )  # fmt: skip
    ax.set_xticks(range(len(ticks)), map(str, ticks))
    ax.set(xlabel=name or "", ylabel=result, xlim=(-0.5, len(ticks) - 0.5))
    ax.legend()


def _draw_field(figure, ax, rows, result, down, across):
    """Draw the mean over the other parameters as colour and as a number, one parameter down and one across."""
    vertical = _ordered(row["parameters"].get(down) for row in rows)
    horizontal = _ordered(row["parameters"].get(across) for row in rows)
    means = [[math.nan] * len(horizontal) for _ in vertical]
    for i, first in enumerate(vertical):
        for j, second in enumerate(horizontal):
            chosen = [
                row["results"][result]
                for row in rows
                if row["parameters"].get(down) == first and row["parameters"].get(across) == second
            ]
            if chosen:
                means[i][j] = statistics.mean(chosen)
    image = ax.imshow(means, cmap="cividis", aspect="auto")
    middle = sum(image.get_clim()) / 2
    for i, line in enumerate(means):
        for j, mean in enumerate(line):
            if not math.isnan(mean):
                colour = "black" if mean > middle else "white"
                ax.text(j, i, f"{mean:.5g}", ha="center", va="center", color=colour)
    ax.set_xticks(range(len(horizontal)), map(str, horizontal))
    ax.set_yticks(range(len(vertical)), map(str, vertical))
    ax.set(xlabel=across, ylabel=down)
    figure.colorbar(image, label=f"mean {result}")
