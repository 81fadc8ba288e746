"""How long does a whole training take, and how long until 99 % of the validation images are read right?

    python -m benchmarks.time_to_accuracy
    python -m benchmarks.time_to_accuracy --recipes standard fast --rounds 4

Each round trains every recipe once, from building the network to the last saved file; `fast` three times, because it
is short. A round is one process bound to one core (Linux only), one training after the other; each core takes a round.
What is compared are seconds of processor time: other work on the machine moves them little. A round takes about 45
minutes, or 7 with `standard` and `fast` alone. The results go to benchmarks/time_to_accuracy.json.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.cores import on_every_core
from benchmarks.measured_on import measured_on
from mnist_course.command_line import command
from mnist_course.recipes import RECIPES

RESULTS = Path(__file__).with_suffix(".json")
TARGET = 0.99


def measure(name, seed):
    """Train a recipe with a clock; return the seconds it took, its accuracy, and when it first reached the target."""
    import mnist_helpers as mh
    from mnist_course import training
    from mnist_course.recipes import prepare

    part, (images, labels) = mh.split_train_validation(*mh.load_mnist()[0])
    validation, reached = (mh.scale_pixels(images), mh.one_hot(labels)), []

    def note(epoch, logs):
        if logs["val_accuracy"] >= TARGET:
            reached.append(time.process_time() - began)

    began, began_on_the_wall = time.process_time(), time.monotonic()
    model, options = prepare(RECIPES[name], *part, seed=seed)
    options["callbacks"] = [mh.keras.callbacks.LambdaCallback(on_epoch_end=note)]
    with tempfile.TemporaryDirectory() as folder:
        history = training.train(model, validation=validation, output_dir=folder, verbose=0, **options)
    seconds, on_the_wall = time.process_time() - began, time.monotonic() - began_on_the_wall
    accuracy = mh.evaluate(labels, mh.predict(model, images))["accuracy"]
    print(f"{name} seed {seed}: {seconds:.1f} s of the processor, {accuracy:.2%} of validation", flush=True)
    return {
        "seed": seed,
        "processor_seconds": round(seconds, 2),
        "seconds": round(on_the_wall, 2),
        "processor_seconds_to_target": round(reached[0], 2) if reached else None,
        "validation_accuracy": round(accuracy, 6),
        "epochs": len(history["loss"]),
    }


def measure_round(number, names):
    """Train these recipes in turn, with seeds that no other round has; return a list of what was measured for each."""
    measure("fast", 0)  # what a process does once is not counted
    seeds = {name: range(3 * number, 3 * number + 3) if name == "fast" else [number] for name in names}
    return {name: [measure(name, seed) for seed in of_recipe] for name, of_recipe in seeds.items()}


def relative_times(rounds):
    """Return for each recipe its whole processor time over that of `standard`, a number a round."""
    def mean(runs):
        return statistics.mean(run["processor_seconds"] for run in runs)

    return {name: [mean(each[name]) / mean(each["standard"]) for each in rounds] for name in rounds[0]}


@command
def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipes", nargs="+", choices=RECIPES, default=list(RECIPES))
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args(argv)
    rounds = on_every_core(measure_round, [(number, arguments.recipes) for number in range(arguments.rounds)])
    given = " ".join(sys.argv[1:] if argv is None else argv)
    results = {"command": f"python -m benchmarks.time_to_accuracy {given}".rstrip(), **measured_on(), "rounds": rounds}
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    for name, ratios in relative_times(rounds).items():
        print(f"{name}: {statistics.mean(ratios):.3f} of standard, from {min(ratios):.3f} to {max(ratios):.3f}")


if __name__ == "__main__":
    sys.exit(main())
