"""What does `training.train` cost beside a bare `model.fit`? Trains both in turn and compares their processor time.

    python -m benchmarks.training_overhead

`training.train` saves the best weights, a log and a backup after every epoch, and orders the images itself; the bare
run gives `fit` arrays and only validates. Bound to one core (Linux only). Takes about eight minutes. The results go to
benchmarks/training_overhead.json.
"""

import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.measured_on import measured_on
from mnist_course.command_line import command

RESULTS = Path(__file__).with_suffix(".json")
EPOCHS, ROUNDS = 2, 6


@command
def main(argv=None):
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # before TensorFlow counts the cores
    import mnist_helpers as mh
    from mnist_course import training

    (images, labels), validation = mh.split_train_validation(*mh.load_mnist()[0])
    x, y = mh.scale_pixels(images), mh.one_hot(labels)
    validation = mh.scale_pixels(validation[0]), mh.one_hot(validation[1])

    def bare(model):
        model.fit(x, y, validation_data=validation, epochs=EPOCHS, batch_size=128, verbose=0)

    def ours(model):
        with tempfile.TemporaryDirectory() as folder:
            batches = training.ShuffledBatches(x, y, seed=0)
            training.train(model, batches, validation, folder, epochs=EPOCHS, verbose=0)

    def seconds(run):
        model = mh.build_cnn()
        model.fit(x[:256], y[:256], verbose=0)  # the graph is built here, not timed
        begin = time.process_time()
        run(model)
        return time.process_time() - begin

    rounds = []
    for number in range(ROUNDS):
        order = [("bare", bare), ("train", ours)][:: (-1) ** number]  # each goes first in half of the rounds
        rounds.append({name: round(seconds(run), 2) for name, run in order})
        print(rounds[-1], flush=True)
    ratios = [times["bare"] / times["train"] for times in rounds]
    results = {
        "command": "python -m benchmarks.training_overhead",
        **measured_on(),
        "processor_seconds": rounds,
        "speed_of_train_over_bare": [round(ratio, 3) for ratio in ratios],
    }
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    print(f"train has {statistics.median(ratios):.3f} of the speed of bare fit (median of {ROUNDS} rounds)")


if __name__ == "__main__":
    sys.exit(main())
