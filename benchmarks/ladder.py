"""What does each ingredient of `record` bring? Trains the steps between `standard` and `record`.

    python benchmarks/ladder.py

Each step adds something to the one above it. Two seeds a step, five epochs each, measured on the validation images
only: the test set is for finished recipes. The ends of the ladder are in seeds.json. The results go to
benchmarks/ladder.json.
"""

import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from measured_on import measured_on

import mnist_helpers as mh
from mnist_course import recipes

RESULTS = Path(__file__).with_suffix(".json")
SEEDS, EPOCHS = (0, 1), 5
STEPS = {  # what is added: network, learning rate at the top of the cycle
    "one cycle of the learning rate, 5 epochs": (mh.build_cnn, 0.002),
    "five convolutions, batch normalisation": (recipes.build_record, 0.004),
}


def measure(build, rate, seed):
    (images, labels), validation = mh.split_train_validation(*mh.load_mnist()[0])
    mh.keras.utils.set_random_seed(seed)
    training = mh.scale_pixels(images), mh.one_hot(labels)
    model, options = recipes.one_cycle(build(), training, len(images), EPOCHS, rate)
    checked = mh.scale_pixels(validation[0]), mh.one_hot(validation[1])
    with tempfile.TemporaryDirectory() as folder:
        mh.train(model, validation=checked, output_dir=folder, verbose=0, **options)
    accuracy = mh.evaluate(validation[1], mh.predict(model, validation[0]))["accuracy"]
    return {"seed": seed, "validation_accuracy": round(accuracy, 6)}


def main():
    results = {"command": "python benchmarks/ladder.py", **measured_on(), "epochs": EPOCHS, "steps": {}}
    for step, (build, rate) in STEPS.items():
        results["steps"][step] = [measure(build, rate, seed) for seed in SEEDS]
        print(step, [run["validation_accuracy"] for run in results["steps"][step]], flush=True)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
