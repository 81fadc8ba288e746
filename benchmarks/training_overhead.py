"""What does `training.train` cost beside a bare `model.fit`? Trains both in turn and compares images a second.

    python -m benchmarks.training_overhead

`training.train` saves the best weights, a log and a backup after every epoch; the bare run only validates. Takes about
six minutes; nothing else should run. The results go to benchmarks/training_overhead.json.
"""

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import mnist_helpers as mh
from benchmarks.measured_on import measured_on
from mnist_course import training
from mnist_course.command_line import command

RESULTS = Path(__file__).with_suffix(".json")
EPOCHS, ROUNDS = 2, 6


def images_a_second(run, images):
    model = mh.build_cnn()
    model.fit(mh.scale_pixels(images[:256]), mh.one_hot([0] * 256), verbose=0)  # the graph is built here, not timed
    begin = time.monotonic()
    run(model)
    return EPOCHS * len(images) / (time.monotonic() - begin)


@command
def main(argv=None):
    (images, labels), validation = mh.split_train_validation(*mh.load_mnist()[0])
    part = mh.scale_pixels(images), mh.one_hot(labels)
    validation = mh.scale_pixels(validation[0]), mh.one_hot(validation[1])

    def bare(model):
        model.fit(*part, validation_data=validation, epochs=EPOCHS, batch_size=128, verbose=0)

    def ours(model):
        with tempfile.TemporaryDirectory() as folder:
            training.train(model, part, validation, folder, epochs=EPOCHS, verbose=0)

    rounds = []
    for number in range(ROUNDS):
        order = [("bare", bare), ("train", ours)][:: (-1) ** number]  # each goes first in half of the rounds
        rounds.append({name: round(images_a_second(run, images), 1) for name, run in order})
        print(rounds[-1], flush=True)
    ratio = statistics.median(speeds["train"] / speeds["bare"] for speeds in rounds)
    results = {
        "command": "python -m benchmarks.training_overhead",
        **measured_on(),
        "images_a_second": rounds,
        "median_of_train_over_bare": round(ratio, 4),
    }
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    print(f"train does {ratio:.3f} of the images a second that bare fit does (median of {ROUNDS} rounds)")


if __name__ == "__main__":
    sys.exit(main())
