"""How fast does Keras train on TensorFlow, JAX and PyTorch, and is what it trains as good?

    make test-backends
    .venv-backends/bin/python -m benchmarks.backends

A round trains a recipe with one seed on each backend in turn, in a process of its own bound to one core (Linux only);
the next round begins with another backend. Compared are seconds of processor time in the last of its epochs: the first
one also compiles. The results go to benchmarks/backends.json.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from benchmarks.measured_on import measured_on
from mnist_course import paths
from mnist_course.command_line import command
from mnist_course.recipes import RECIPES

RESULTS = Path(__file__).with_suffix(".json")
BACKENDS = ("tensorflow", "jax", "torch")


def measure(recipe, seed):
    """Train a recipe with a clock; return the seconds of its epochs and how many test images it reads right."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # before a library counts the cores
    import mnist_helpers as mh
    from mnist_course import recipes, training

    (part, (images, labels)), test = mh.split_train_validation(*mh.load_mnist()[0]), mh.load_mnist()[1]
    model, options = recipes.prepare(RECIPES[recipe], *part, seed=seed)
    times = [(time.process_time(), time.monotonic())]
    note = mh.keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: times.append((time.process_time(), time.monotonic()))
    )
    validation = mh.scale_pixels(images), mh.one_hot(labels)
    with tempfile.TemporaryDirectory() as folder:
        training.train(model, validation=validation, output_dir=folder, callbacks=[note], verbose=0, **options)
    processor, wall = ([round(b - a, 2) for a, b in pairwise(clock)] for clock in zip(*times, strict=True))
    accuracy = mh.evaluate(test[1], mh.predict(model, test[0]))["accuracy"]
    return {"seed": seed, "processor_seconds": processor, "seconds": wall, "test_accuracy": round(accuracy, 6)}


def measure_elsewhere(backend, recipe, seed):
    """Measure in a new process, in which Keras computes with `backend`."""
    code = f"import json; from benchmarks import backends; print(json.dumps(backends.measure({recipe!r}, {seed})))"
    environment = os.environ | {"KERAS_BACKEND": backend}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=paths.ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def ratios(runs, backend):
    """Return the seconds of an epoch on `backend` over those on TensorFlow, a number a round."""
    pairs = zip(runs[backend], runs["tensorflow"], strict=True)
    return [run["processor_seconds"][-1] / beside["processor_seconds"][-1] for run, beside in pairs]


def table(results):
    """Return the README's table of the stored results, a row a backend."""
    lines = [
        "| `KERAS_BACKEND` | version | first epoch | last epoch | beside TensorFlow | read right of test images |",
        "|---|---|---|---|---|---|",
    ]
    runs = results["runs"]
    for backend in BACKENDS:
        seconds = [run["processor_seconds"] for run in runs[backend]]
        first, last = (statistics.mean(epochs[place] for epochs in seconds) for place in (0, -1))
        times, accuracies = ratios(runs, backend), [100 * run["test_accuracy"] for run in runs[backend]]
        beside = "1" if set(times) == {1} else f"{statistics.mean(times):.2f} ({min(times):.2f} to {max(times):.2f})"
        spread = f" ± {statistics.stdev(accuracies):.2f}" if len(accuracies) > 1 else ""
        accuracy = f"{statistics.mean(accuracies):.2f}{spread} %, {len(accuracies)} seeds"
        version = results["versions"][backend]
        lines.append(f"| `{backend}` | {version} | {first:.1f} | {last:.1f} | {beside} | {accuracy} |")
    return "\n".join(lines) + "\n"


@command
def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipe", choices=RECIPES, default="fast")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args(argv)
    given = " ".join(sys.argv[1:] if argv is None else argv)
    runs = {backend: [] for backend in BACKENDS}
    results = {"command": f"python -m benchmarks.backends {given}".rstrip(), **measured_on(*BACKENDS), "runs": runs}
    for number in range(arguments.rounds):
        first = number % len(BACKENDS)
        for backend in BACKENDS[first:] + BACKENDS[:first]:
            runs[backend].append(measure_elsewhere(backend, arguments.recipe, seed=number))
            print(backend, runs[backend][-1], flush=True)
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")  # after each round: it takes minutes
    print(table(results))


if __name__ == "__main__":
    sys.exit(main())
