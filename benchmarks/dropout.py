"""How far apart are training and validation loss, with dropout and without? Measured with dropout off, as in use.

    python -m benchmarks.dropout

The loss that `fit` reports for the training images is measured with dropout on, and averaged over the epoch; here it
stands beside the loss of the same images after the epoch, with dropout off. Three seeds each, eight epochs. Takes about
ten minutes on two cores (Linux only). The results go to benchmarks/dropout.json.
"""

import json
import sys
import tempfile
from pathlib import Path

from benchmarks.cores import on_every_core
from benchmarks.measured_on import measured_on
from mnist_course.command_line import command

RESULTS = Path(__file__).with_suffix(".json")
SEEDS, EPOCHS = (0, 1, 2), 8


def measure(dropout, seed):
    """Train the course's network with so much dropout; return its losses, an entry an epoch."""
    import mnist_helpers as mh
    from mnist_course import training

    part, validation = mh.split_train_validation(*mh.load_mnist()[0])
    x, y = mh.scale_pixels(part[0]), mh.one_hot(part[1])
    validation = mh.scale_pixels(validation[0]), mh.one_hot(validation[1])
    mh.keras.utils.set_random_seed(seed)
    model, switched_off = mh.build_cnn(dropout=dropout), []

    def look_again(epoch, logs):
        switched_off.append(round(model.evaluate(x, y, batch_size=1000, verbose=0)[0], 6))

    with tempfile.TemporaryDirectory() as folder:
        history = training.train(
            model, training.ShuffledBatches(x, y, seed=seed), validation, folder, epochs=EPOCHS, patience=EPOCHS,
            callbacks=[mh.keras.callbacks.LambdaCallback(on_epoch_end=look_again)], verbose=0,
        )  # fmt: skip
    losses = {name: [round(loss, 6) for loss in history[name]] for name in ("loss", "val_loss")}
    print(f"dropout {dropout}, seed {seed}: {losses['val_loss'][-1] - switched_off[-1]:.4f}", flush=True)
    return {"dropout": dropout, "seed": seed, "loss_with_dropout_off": switched_off, **losses}


@command
def main(argv=None):
    runs = on_every_core(measure, [(dropout, seed) for seed in SEEDS for dropout in (0.5, 0.0)])
    RESULTS.write_text(
        json.dumps({"command": "python -m benchmarks.dropout", **measured_on(), "runs": runs}, indent=1) + "\n"
    )


if __name__ == "__main__":
    sys.exit(main())
