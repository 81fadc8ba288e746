"""How well does the reader read pictures that people really send? Measures a folder of labelled pictures, by kind.

    python -m benchmarks.own_digits FOLDER

FOLDER has the pictures and labels.tsv with columns file, label, kind and source (the repository each came from). Three
ways are compared: the usual tutorial way with the standard network, the course's preparation with the standard network,
and the preparation with the robust one. Sources in TUNED_ON were looked at while preparation and recipe were made; the
others were not. The results go to benchmarks/own_digits.json; the pictures themselves stay where they are. Notebook 06
shows the row of PHOTO_KINDS, and how much of its picture's side a digit takes there.
"""

import argparse
import csv
import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image

import mnist_helpers as mh
from benchmarks.measured_on import measured_on
from mnist_course import paths, pictures, training
from mnist_course.command_line import command

RESULTS = Path(__file__).with_suffix(".json")
TUNED_ON = ("scholich", "Wikunia", "NnQqDd", "IS1vov", "whdlgp", "RooRoo6080")
PHOTO_KINDS = ("photo", "photo-mixed")  # as they came; those of kind photo28 had been made small before
WAYS = ("usual way, standard", "proper way, standard", "proper way, robust")


def read_labels(folder):
    """Return the rows of labels.tsv as dicts."""
    with open(folder / "labels.tsv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def read_all(folder, rows):
    """Return {way: probabilities (n, 10)}; a refused picture has NaN."""
    networks = {}
    for name, weights in (("standard", paths.SHIPPED_WEIGHTS), ("robust", paths.ROBUST_WEIGHTS)):
        networks[name] = mh.build_cnn()
        training.load_weights(networks[name], weights)
    naive = np.stack([pictures.naive_image(Image.open(folder / row["file"]).convert("RGB")) for row in rows])
    proper, refused = np.zeros_like(naive), np.zeros(len(rows), bool)
    for place, row in enumerate(rows):
        try:
            proper[place] = pictures.to_mnist(pictures.load_picture(folder / row["file"]))
        except ValueError as error:
            refused[place] = True
            print(f"{row['file']}: {error}")
    probabilities = {WAYS[0]: mh.predict(networks["standard"], naive)}
    for way, name in zip(WAYS[1:], ("standard", "robust"), strict=True):
        probabilities[way] = mh.predict(networks[name], proper)
        probabilities[way][refused] = np.nan
    return probabilities


def share_right(probabilities, labels, chosen):
    """The share of the chosen pictures read right; a refused one (NaN) is not."""
    right = np.nan_to_num(probabilities, nan=-1).argmax(axis=1) == labels
    return round(float((right & ~np.isnan(probabilities[:, 0]))[chosen].mean()), 4)


def share_of_side(picture):
    """The share of its picture's height or width, whichever is larger, that the digit takes."""
    digit = dict(pictures.steps(picture))["the digit"]
    return max(np.array(pictures.crop(digit).shape) / digit.shape)


@command
def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args(argv).folder
    rows = read_labels(folder)
    labels = np.array([int(row["label"]) for row in rows])
    kinds = np.array([row["kind"] for row in rows])
    tuned = np.array([row["source"].startswith(TUNED_ON) for row in rows])
    probabilities = read_all(folder, rows)

    groups = {"all": np.ones(len(rows), bool), "tuned on": tuned, "not tuned on": ~tuned}
    groups["photos"] = np.array([kind.startswith("photo") for kind in kinds])
    photos = np.isin(kinds, PHOTO_KINDS)
    groups[" and ".join(PHOTO_KINDS)] = photos
    groups |= {kind: kinds == kind for kind in sorted(set(kinds))}
    table = {
        name: {"pictures": int(chosen.sum())} | {way: share_right(probabilities[way], labels, chosen) for way in WAYS}
        for name, chosen in groups.items()
    }
    robust = probabilities[WAYS[2]]
    confidence = np.nan_to_num(robust.max(axis=1), nan=0)
    by_confidence = []
    for low, high in ((0, 0.5), (0.5, 0.8), (0.8, 0.95), (0.95, 1.01)):
        chosen = (confidence >= low) & (confidence < high)
        if chosen.any():
            right = share_right(robust, labels, chosen)
            by_confidence.append({"from": low, "to": min(high, 1), "pictures": int(chosen.sum()), "read right": right})
    shares = [share_of_side(pictures.load_picture(folder / rows[place]["file"])) for place in np.flatnonzero(photos)]
    facts = {"share of side, median": round(float(np.median(shares)), 3), "tuned on": int((photos & tuned).sum())}
    told = {"command": "python -m benchmarks.own_digits FOLDER", **measured_on()}
    results = told | {"read right": table, " and ".join(PHOTO_KINDS): facts, "robust by confidence": by_confidence}
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")

    print(f"{'':24}{'pictures':>9}" + "".join(f"{way:>23}" for way in WAYS))
    for name, row in table.items():
        print(f"{name:24}{row['pictures']:9}" + "".join(f"{row[way]:23.1%}" for way in WAYS))
    for row in by_confidence:
        span = f"{row['from']:.0%} to {row['to']:.0%}"
        print(f"confidence {span}: {row['pictures']} pictures, {row['read right']:.1%} right")
    wrong = np.flatnonzero(np.nan_to_num(robust, nan=-1).argmax(axis=1) != labels)
    print("misread by robust:", ", ".join(f"{rows[i]['file']} as {robust[i].argmax()}" for i in wrong if confidence[i]))


if __name__ == "__main__":
    sys.exit(main())
