"""The page that collect.py makes: who solved what, and everybody's guesses and reasons side by side."""

import jinja2

_SYMBOLS = {"correct": "✓", "not yet": "✗", "not attempted": "–", "not run": "·", "right": "✓", "not right": "✗"}
_PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Collected notebooks</title>
<style>
body { font: 16px/1.4 sans-serif; margin: 2em; max-width: 75em }
table { border-collapse: collapse; margin: 0.5em 0 1.5em }
th, td { border: 1px solid #999; padding: 0.3em 0.6em; text-align: left; vertical-align: top }
td:last-child { overflow-wrap: anywhere }
.correct, .right { background: #cfe8f7 } .not-yet, .not-right { background: #fbe3cc }
</style>
<h1>Collected notebooks</h1>
<p>{{ remark }}</p>
<p>✓ correct, ✗ not yet, – not attempted, · not run.
Every outcome and guess is what the learner's own notebook said.</p>
{% for name, lesson in lessons.items() %}
<h2>{{ name }}</h2>
<table>
<tr><th>learner</th><th>notebook</th>
{%- for exercise in lesson.exercises %}<th>{{ exercise }}</th>{% endfor %}<th>what happened</th></tr>
{% for run in lesson.runs %}
<tr><th>{{ run.learner }}</th><td>{{ run.notebook }}</td>
{% for exercise in lesson.exercises %}
{% set outcome = run.outcomes.get(exercise, "not run") %}
<td class="{{ outcome | replace(" ", "-") }}" title="{{ outcome }}">{{ symbols.get(outcome, "?") }}</td>
{% endfor %}
<td>{{ run.outcome }}</td></tr>
{% endfor %}
</table>
{% for question, guesses in lesson.questions.items() %}
<h3>{{ question }}</h3>
<table>
<tr><th>learner</th><th>guess</th><th>came out</th><th></th><th>reason</th></tr>
{% for entry in guesses %}
<tr><th>{{ entry.learner }}</th><td>{{ entry.guess }}</td><td>{{ entry.truth }}</td>
<td class="{{ entry.outcome | replace(" ", "-") }}" title="{{ entry.outcome }}">
{{- symbols.get(entry.outcome, "?") }}</td><td>{{ entry.reason }}</td></tr>
{% endfor %}
</table>
{% endfor %}
{% endfor %}
"""


def make_page(rows, remark):
    """Return the HTML page: for every lesson who solved what, then for every question all guesses and reasons."""
    lessons = {}
    for row in rows:
        if row["kind"] == "notebook":
            lesson = lessons.setdefault(row["name"] or "Not a lesson", {"runs": [], "exercises": [], "questions": {}})
            run = row | {"outcomes": {}}
            lesson["runs"].append(run)
        elif row["kind"] == "exercise":
            run["outcomes"][row["name"]] = row["outcome"]
            lesson["exercises"] += [row["name"]] if row["name"] not in lesson["exercises"] else []
        else:
            lesson["questions"].setdefault(row["name"], []).append(row)
    page = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(_PAGE)
    return page.render(lessons=dict(sorted(lessons.items())), symbols=_SYMBOLS, remark=remark)
