"""How much do results vary from training to training? Trains with several seeds and evaluates each network.

    python benchmarks/seeds.py --recipe standard --seeds 0 1 2 3 4
    python benchmarks/seeds.py --recipe robust --seeds 0 1 2

A seed whose training already lies in outputs/seeds/ is not trained again. The results go to benchmarks/seeds.json.
"""

import argparse
import csv
import json
import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).with_suffix(".json")


def train_and_evaluate(recipe, seed):
    """Run the two commands for one seed; return what they measured."""
    folder = ROOT / "outputs" / "seeds" / f"{recipe}_{seed}"
    commands = [
        ["train_model.py", "--recipe", recipe, "--seed", str(seed), "--output-dir", os.path.relpath(folder, ROOT)],
        ["evaluate_model.py", "--json", "--output-dir", os.path.relpath(folder, ROOT), "--weights"],
    ]
    if not (folder / "learning_curves.png").exists():
        subprocess.run([sys.executable, *commands[0]], cwd=ROOT, check=True)
    commands[1].append(os.path.relpath(folder / "mnist_cnn.weights.h5", ROOT))
    evaluated = subprocess.run([sys.executable, *commands[1]], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    test = json.loads(evaluated.stdout)
    with open(folder / "training_log.csv", newline="") as file:
        epochs = list(csv.DictReader(file))
    best = min(range(len(epochs)), key=lambda epoch: float(epochs[epoch]["val_loss"]))
    return {
        "seed": seed,
        "epochs": len(epochs),
        "best_epoch": best + 1,
        "validation_accuracy": round(float(epochs[best]["val_accuracy"]), 6),
        "test_accuracy": test["accuracy"],
        "test_interval": [round(end, 6) for end in test["interval"]],
        "test_loss": round(test["loss"], 6),
        "commands": [" ".join(["python", *command]) for command in commands],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipe", choices=("standard", "robust"), default="standard")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    arguments = parser.parse_args()
    runs = [train_and_evaluate(arguments.recipe, seed) for seed in arguments.seeds]
    versions = {name: version(name) for name in ("keras", "tensorflow", "numpy")}
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    results[arguments.recipe] = {"machine": machine, "versions": versions, "runs": runs}
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    for run in runs:
        print(f"seed {run['seed']}: {run['test_accuracy']:.2%} on the test set, best epoch {run['best_epoch']}")


if __name__ == "__main__":
    main()
