"""Train the network that reads whole lines of digits.

    python -m mnist_course.line_training
    python -m mnist_course.line_training --start outputs/lines/mnist_cnn.weights.h5 --pages 1200 --epochs 24 \
        --output-dir outputs/lines_of_photos

It learns from lines that are put together from MNIST's training digits and drawn ones (`line_pictures`), then also from
lines cut out of simulated photos of such digits (`line_photos`), by connectionist temporal classification: told which
digits a line shows, not where they stand (`strips` has the source).
"""

import argparse
import sys
from pathlib import Path

import keras
import numpy as np

import mnist_helpers as mh
from mnist_course import line_photos, line_pictures, paths, recipes, strips, training
from mnist_course.command_line import command

VALIDATION_BATCHES = 20


def build_line_network():
    """Return the network, not compiled: strips (n, 32, w, 1) in, logits (n, w / 2, 12) out; 520,900 parameters."""
    layers = keras.layers

    def convolution(filters, size=3, padding="same", pool=None):
        pooling = [layers.MaxPooling2D(pool)] if pool else []  # first, so that the rest has less to do
        convolve = layers.Conv2D(filters, size, padding=padding, use_bias=False)
        return convolve, *pooling, layers.BatchNormalization(momentum=0.9), layers.ReLU()

    return keras.Sequential([
        keras.Input((strips.HEIGHT, None, 1)),
        *convolution(24, pool=2),  # (n, 16, w / 2, 24)
        *convolution(48, pool=(2, 1)),  # (n, 8, w / 2, 48)
        *convolution(80, pool=(2, 1)),  # (n, 4, w / 2, 80)
        *convolution(128), layers.ZeroPadding2D((0, 2)),
        *convolution(128, (4, 5), "valid"), layers.Dropout(0.2),  # (n, 1, w / 2, 128): the height is seen as a whole
        *convolution(128, (1, 3)), layers.Dropout(0.2),
        layers.Conv2D(strips.ANSWERS, (1, 3), padding="same"), layers.Reshape((-1, strips.ANSWERS)),
    ])  # fmt: skip


def accuracy(y_true, y_pred):
    """The share of lines whose digits are all right."""
    ops = keras.ops
    spelled, _ = ops.ctc_decode(y_pred, ops.full(ops.shape(y_pred)[:1], ops.shape(y_pred)[1]), mask_index=0)
    spelled = ops.maximum(ops.cast(spelled[0], "int32"), 0)  # -1 follows the last one
    spelled = ops.pad(spelled, [(0, 0), (0, line_pictures.WIDTH)])[:, : line_pictures.WIDTH]
    wanted = ops.pad(ops.cast(y_true, "int32"), [(0, 0), (0, line_pictures.WIDTH - line_pictures.MOST)])
    return ops.cast(ops.all(spelled == wanted, axis=1), "float32")


def _parse(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=60, help="of 200 batches of 64 lines (default 60)")
    parser.add_argument("--batches", type=int, default=200, help="in an epoch (default 200)")
    parser.add_argument("--seed", type=int, default=0, help="initial weights and lines (default 0)")
    parser.add_argument("--pages", type=int, default=0, help="simulated photos with lines of their own (default 0)")
    parser.add_argument("--start", type=Path, help="weights to begin with, and a third of the learning rate")
    parser.add_argument("--output-dir", type=Path, default=paths.OUTPUTS / "lines", help="where to save")
    parser.add_argument("--resume", action="store_true", help="go on after the last finished epoch")
    return parser.parse_args(argv)


def _lines(part, path, seed, batches, pages):
    """Return the `LinePictures` of MNIST's (images, labels), some from so many photos, which are kept beside `path`."""
    found = ((), ())
    if pages:
        path = path.with_name(f"{path.name}_{pages}_{seed}.npz")
        if not path.exists():
            print(f"Cutting lines out of {pages} simulated photos, about a second each on one core ...", flush=True)
        found = line_photos.prepare(*part, path, pages=pages, seed=seed)
    return line_pictures.LinePictures(*part, seed=seed, batches=batches, from_photos=found)


def _prepare(folder, *, seed, epochs, batches, pages, start):
    """Return the compiled network, the `LinePictures` to train on, and validation lines (x, y)."""
    keras.utils.set_random_seed(seed)
    model, rate = build_line_network(), recipes.one_cycle(0.001 if start else 0.003, epochs * batches)
    if start:
        training.load_weights(model, start)
    part, other_part = mh.split_train_validation(*mh.load_mnist()[0])
    lines = _lines(part, folder / "strips", seed, batches, pages)
    others = _lines(other_part, folder / "validation_strips", seed, VALIDATION_BATCHES, -(-pages // 10))
    validation = [np.concatenate(parts) for parts in zip(*map(others.__getitem__, range(len(others))), strict=True)]
    model.compile(keras.optimizers.Adam(rate, clipnorm=1), keras.losses.CTC(), metrics=[accuracy])
    return model, lines, tuple(validation)


@command
def main(argv=None):
    arguments = _parse(argv)
    how = {name: getattr(arguments, name) for name in ("seed", "epochs", "batches", "pages")}
    how["start"] = arguments.start and str(arguments.start)
    if arguments.resume and training.read_settings(arguments.output_dir)[0] != how:
        raise ValueError("--resume goes on as the training began: give the same settings.")
    model, lines, validation = _prepare(arguments.output_dir, **how)
    options = {"epochs": arguments.epochs, "patience": arguments.epochs, "resume": arguments.resume, "settings": how}
    verbose = 1 if sys.stdout.isatty() else 2
    history = training.train(model, lines, validation, arguments.output_dir, verbose=verbose, **options)
    best = min(range(len(history["val_loss"])), key=history["val_loss"].__getitem__)
    network = arguments.output_dir / paths.LINE_READER.name
    training.export_litert(model, network)
    right = f"{history['val_accuracy'][best]:.1%} of the validation lines"
    print(f"Trained {len(history['loss'])} epochs; after epoch {best + 1} {right} were read without an error.")
    print(f"Saved {network} and the weights beside it.")


if __name__ == "__main__":
    sys.exit(main())
