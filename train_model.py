"""Train the course's network and save the best weights, the log and the learning curves under outputs/."""

import argparse
import os
import sys
from pathlib import Path


def whole_number(minimum, maximum=None):
    expected = f"of at least {minimum}" if maximum is None else f"from {minimum} to {maximum}"

    def parse(text):
        if not text.isdecimal() or int(text) < minimum or (maximum is not None and int(text) > maximum):
            raise argparse.ArgumentTypeError(f"expected a whole number {expected}, received {text!r}")
        return int(text)

    return parse


def learning_rate(text):
    try:
        if 0 < float(text) <= 1:
            return float(text)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"expected a number above 0 and up to 1, received {text!r}")


def parse_arguments(argv):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--recipe",
        choices=("standard", "robust"),
        default="standard",
        help="standard: MNIST as it is; robust: also bent digits and other styles of writing (default standard)",
    )
    parser.add_argument("--epochs", type=whole_number(1), help="upper bound (default 20; robust: 24)")
    parser.add_argument("--batch-size", type=whole_number(1), help="images a step (default 128; robust: always 128)")
    parser.add_argument("--learning-rate", type=learning_rate, help="Adam's step size (default 0.001; robust: 0.002)")
    parser.add_argument(
        "--patience", type=whole_number(0), help="epochs without improvement before it stops (default 5; robust: never)"
    )
    parser.add_argument(
        "--seed", type=whole_number(0, 2**32 - 1), default=0, help="initial weights and shuffling (default 0)"
    )
    parser.add_argument("--output-dir", default=None, help="where to save (default outputs/)")
    parser.add_argument("--resume", action="store_true", help="go on after the last finished epoch")
    arguments = parser.parse_args(argv)
    if arguments.recipe == "robust" and arguments.batch_size not in (None, 128):
        parser.error("the robust recipe mixes its batches of 128 itself; leave out --batch-size")
    return arguments


def prepare(arguments, mh):
    """Return what the recipe trains: the network, its training data, the number of epochs and the patience."""
    images, labels = mh.load_mnist()[0]
    training, validation = mh.split_train_validation(images, labels)
    if arguments.recipe == "robust":
        from mnist_course import recipes

        pictures = recipes.RobustPictures(*training, seed=arguments.seed)
        epochs = arguments.epochs or recipes.EPOCHS
        start = arguments.learning_rate or recipes.LEARNING_RATE
        model = mh.build_cnn(learning_rate=recipes.robust_learning_rate(pictures, epochs=epochs, start=start))
        training, patience = (pictures, None), epochs
    else:
        model = mh.build_cnn(learning_rate=arguments.learning_rate or 0.001)
        training, epochs, patience = as_arrays(training, mh), arguments.epochs or 20, 5
    if arguments.patience is not None:
        patience = arguments.patience
    return model, training, as_arrays(validation, mh), epochs, patience


def as_arrays(part, mh):
    images, labels = part
    return mh.scale_pixels(images), mh.one_hot(labels)


def train(arguments, mh):
    output_dir = Path(arguments.output_dir or os.path.relpath(mh.OUTPUTS))
    weights, litert = output_dir / mh.WEIGHTS_NAME, output_dir / mh.LITERT_NAME
    curves, backup = output_dir / "learning_curves.png", output_dir / "backup"
    if backup.exists() and not arguments.resume:
        print(f"Note: this starts afresh and drops the interrupted training in {backup}; --resume would go on with it.")
    mh.keras.utils.set_random_seed(arguments.seed)
    model, training, validation, epochs, patience = prepare(arguments, mh)
    try:
        history = mh.train(
            model,
            training,
            validation,
            output_dir,
            epochs=epochs,
            batch_size=arguments.batch_size or 128,
            patience=patience,
            resume=arguments.resume,
            verbose=1 if sys.stdout.isatty() else 2,
        )
    except KeyboardInterrupt:
        saved = "nothing was saved"
        if backup.exists():
            mh.load_weights(model, weights)
            mh.export_litert(model, litert)
            saved = f"the best weights so far are in {weights}, and --resume goes on from the last finished epoch"
        print(f"\nStopped by Ctrl-C: {saved}.", file=sys.stderr)
        return 130
    mh.export_litert(model, litert)
    mh.plot_learning_curves(history)[0].figure.savefig(curves)
    best = min(range(len(history["val_loss"])), key=history["val_loss"].__getitem__)
    print(
        f"Trained {len(history['loss'])} epochs; the best was epoch {best + 1}: validation accuracy "
        f"{history['val_accuracy'][best]:.2%}, validation loss {history['val_loss'][best]:.4f}."
    )
    print(f"Saved {weights}, {litert.name}, {mh.LOG_NAME} and {curves.name} beside it.")
    return 0


def main(argv=None):
    arguments = parse_arguments(argv)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        import mnist_helpers as mh  # TensorFlow takes seconds to import: first check the arguments

        return train(arguments, mh)
    except KeyboardInterrupt:
        print("\nStopped by Ctrl-C.", file=sys.stderr)
        return 130
    except (ValueError, OSError) as error:
        print(f"train_model.py: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
