"""Evaluate the trained network on the 10,000 test images and save the confusion matrix and the mistakes as pictures."""

import argparse
import json
import sys
from pathlib import Path

from mnist_course import paths
from mnist_course.command_line import command
from mnist_course.recipes import RECIPES


def parse_arguments(argv):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--weights", type=Path, help="a .weights.h5 file (default: your own in outputs/, else the shipped)"
    )
    parser.add_argument("--output-dir", type=Path, help="where to save the pictures (default outputs/)")
    parser.add_argument(
        "--shifts",
        action="store_true",
        help=f"average over {RECIPES['record'].places} places, as the recipe record does",
    )
    parser.add_argument("--json", action="store_true", help="print the results as one JSON object")
    return parser.parse_args(argv)


def evaluate(arguments):
    import mnist_helpers as mh
    from mnist_course import networks

    output_dir = arguments.output_dir or paths.shown(paths.OUTPUTS)
    weights = arguments.weights or paths.shown(paths.find_weights())
    model = networks.load_network(weights)
    images, labels = mh.load_mnist()[1]
    places = RECIPES["record"].places if arguments.shifts else 1
    probabilities = networks.predict_at_places(model, images, places)
    results = mh.evaluate(labels, probabilities)
    matrix, (low, high) = results["confusion_matrix"], results["interval"]
    confusions = mh.most_confused(matrix)

    pictures = [output_dir / "confusion_matrix.png", output_dir / "misclassified.png"]
    output_dir.mkdir(parents=True, exist_ok=True)
    mh.plot_confusion_matrix(matrix).savefig(pictures[0], dpi=150)
    mh.plot_misclassified(images, labels, probabilities).savefig(pictures[1], dpi=150)

    if arguments.json:
        numbers = {name: getattr(value, "tolist", lambda value=value: value)() for name, value in results.items()}
        print(json.dumps({"weights": str(weights), "images": len(labels), **numbers, "most_confused": confusions}))
        return 0
    print(f"Weights: {weights} ({model.count_params():,} parameters)")
    print(
        f"Test accuracy {results['accuracy']:.2%} (95 % interval {low:.2%} to {high:.2%}), loss {results['loss']:.4f}"
    )
    print(f"{len(labels)} images, {(1 - results['accuracy']) * len(labels):.0f} of them misclassified\n")
    print("digit  images  precision  recall      F1")
    for digit in range(10):
        scores = (results[name][digit] for name in ("precision", "recall", "f1"))
        print(f"{digit:5}{matrix[digit].sum():8}" + "{:11.2%}{:8.2%}{:8.2%}".format(*scores))
    print("\nMost frequent confusions")
    for true, digit, count in confusions:
        print(f"  a {true} read as {digit}: {count} times")
    print(f"\nSaved {pictures[0]} and {pictures[1]}.")
    return 0


@command
def main(argv=None):
    arguments = parse_arguments(argv)  # first: TensorFlow takes seconds to import
    return evaluate(arguments)


if __name__ == "__main__":
    sys.exit(main())
