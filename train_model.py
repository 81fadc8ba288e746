"""Train the course's network and save the best weights, the log and the learning curves under outputs/."""

import argparse
import os
import sys
from pathlib import Path

DEFAULTS = {  # of each recipe in mnist_course/recipes.py: epochs, learning rate
    "standard": (20, 0.001),
    "robust": (24, 0.002),
    "fast": (2, 0.01),
    "tiny": (8, 0.01),
    "record": (32, 0.004),
}
RECIPES_HELP = (
    "standard: the course's network on MNIST as it is; robust: also other styles of writing; fast: 99 %% in a minute; "
    "tiny: at most 10,000 parameters; record: the best of at most 330,000 (default standard)"
)


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
    parser.add_argument("--recipe", choices=DEFAULTS, default="standard", help=RECIPES_HELP)
    for option, kind, place, text in (
        ("--epochs", whole_number(1), 0, "upper bound"),
        ("--learning-rate", learning_rate, 1, "Adam's step size at its largest"),
    ):
        defaults = ", ".join(f"{recipe} {values[place]}" for recipe, values in DEFAULTS.items())
        parser.add_argument(option, type=kind, help=f"{text} (default {defaults})")
    parser.add_argument("--batch-size", type=whole_number(1), help="images a step (only standard; default 128)")
    parser.add_argument(
        "--patience", type=whole_number(0), help="epochs without improvement before it stops (default 5; others: never)"
    )
    parser.add_argument(
        "--seed", type=whole_number(0, 2**32 - 1), default=0, help="initial weights and shuffling (default 0)"
    )
    parser.add_argument("--output-dir", default=None, help="where to save (default outputs/)")
    parser.add_argument("--resume", action="store_true", help="go on after the last finished epoch")
    arguments = parser.parse_args(argv)
    if arguments.recipe != "standard" and arguments.batch_size is not None:
        parser.error(f"the recipe {arguments.recipe} is made for batches of 128; leave out --batch-size")
    return arguments


def prepare(arguments, mh):
    """Return what the recipe trains, its validation data, and the other arguments of `mh.train`."""
    from mnist_course import recipes

    training, (images, labels) = mh.split_train_validation(*mh.load_mnist()[0])
    epochs, rate = DEFAULTS[arguments.recipe]
    model, options = recipes.RECIPES[arguments.recipe](
        *training,
        seed=arguments.seed,
        epochs=arguments.epochs or epochs,
        learning_rate=arguments.learning_rate or rate,
    )
    if arguments.patience is not None:
        options["patience"] = arguments.patience
    return model, (mh.scale_pixels(images), mh.one_hot(labels)), options


def train(arguments, mh):
    output_dir = Path(arguments.output_dir or os.path.relpath(mh.OUTPUTS))
    weights, litert = output_dir / mh.WEIGHTS_NAME, output_dir / mh.LITERT_NAME
    curves, backup = output_dir / "learning_curves.png", output_dir / "backup"
    if backup.exists() and not arguments.resume:
        print(f"Note: this starts afresh and drops the interrupted training in {backup}; --resume would go on with it.")
    mh.keras.utils.set_random_seed(arguments.seed)
    model, validation, options = prepare(arguments, mh)
    try:
        history = mh.train(
            model,
            validation=validation,
            output_dir=output_dir,
            batch_size=arguments.batch_size or 128,
            resume=arguments.resume,
            verbose=1 if sys.stdout.isatty() else 2,
            **options,
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
