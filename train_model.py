"""Train the course's network and save the best weights, the log and the learning curves under outputs/."""

import argparse
import io
import sys
from pathlib import Path

from mnist_course import paths
from mnist_course.command_line import command
from mnist_course.files import write_whole
from mnist_course.recipes import RECIPES

RECIPE_SETTINGS = ("epochs", "learning_rate", "patience")  # what may differ from the recipe's row
SETTINGS = ("recipe", *RECIPE_SETTINGS, "batch_size", "seed")  # what a training is begun with


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
    purposes = "; ".join(f"{name}: {recipe.purpose}" for name, recipe in RECIPES.items()).replace("%", "%%")
    parser.add_argument("--recipe", choices=RECIPES, help=f"{purposes} (default standard)")
    for option, kind, field, text in (
        ("--epochs", whole_number(1), "epochs", "upper bound"),
        ("--learning-rate", learning_rate, "learning_rate", "Adam's step size at its largest"),
        ("--patience", whole_number(0), "patience", "epochs without improvement before it stops"),
    ):
        values = {name: getattr(recipe, field) for name, recipe in RECIPES.items()}
        defaults = ", ".join(f"{name} {'never' if value is None else value}" for name, value in values.items())
        parser.add_argument(option, type=kind, help=f"{text} (default {defaults})")
    parser.add_argument("--batch-size", type=whole_number(1), help="images a step (only standard; default 128)")
    parser.add_argument("--seed", type=whole_number(0, 2**32 - 1), help="initial weights and shuffling (default 0)")
    parser.add_argument("--output-dir", type=Path, help="where to save (default outputs/)")
    parser.add_argument("--resume", action="store_true", help="go on after the last finished epoch, as it began")
    arguments = parser.parse_args(argv)
    if arguments.recipe not in (None, "standard") and arguments.batch_size is not None:
        parser.error(f"the recipe {arguments.recipe} is made for batches of 128; leave out --batch-size")
    return arguments


def choose_settings(arguments):
    """Return all settings of a new training: what was given, and the recipe's own for the rest."""
    given = {name: getattr(arguments, name) for name in SETTINGS if getattr(arguments, name) is not None}
    recipe = RECIPES[given.get("recipe", "standard")]
    own = {name: getattr(recipe, name) for name in RECIPE_SETTINGS}
    return {"recipe": "standard", "batch_size": 128, "seed": 0, **own, **given}


def find_settings(arguments, output_dir):
    """Return the settings of the training to resume; ValueError when the arguments want others."""
    from mnist_course import training

    settings, finished = training.read_settings(output_dir)
    if set(settings or ()) != set(SETTINGS):
        raise ValueError(f"The training in {output_dir} was not begun by this command; go on with it as it was begun.")
    words = {name: f"{name.replace('_', ' ')} {value}" for name, value in settings.items()}
    for name, value in settings.items():
        if getattr(arguments, name) not in (None, value):
            raise ValueError(
                f"--resume goes on as the training began, with {words[name]}: leave out --{name.replace('_', '-')}."
            )
    print(f"Going on after epoch {finished}: {', '.join(words.values())}.")
    return settings


def export(model, weights, litert, recipe):
    from mnist_course import training

    try:
        training.export_litert(model, litert, recipe)
    except ValueError as error:
        raise ValueError(f"The weights are saved in {weights}, but {litert.name} is not. {error}") from None


def train(arguments, output_dir):
    import mnist_helpers as mh
    from mnist_course import recipes, training

    weights, litert = output_dir / paths.WEIGHTS_NAME, output_dir / paths.LITERT_NAME
    curves, backup = output_dir / "learning_curves.png", output_dir / paths.BACKUP_NAME
    settings = find_settings(arguments, output_dir) if arguments.resume else choose_settings(arguments)
    if backup.exists() and not arguments.resume:
        print(f"Note: this starts afresh and drops the interrupted training in {backup}; --resume would go on with it.")
    part, (images, labels) = mh.split_train_validation(*mh.load_mnist()[0])
    recipe = RECIPES[settings["recipe"]]._replace(**{name: settings[name] for name in RECIPE_SETTINGS})
    model, options = recipes.prepare(recipe, *part, seed=settings["seed"], batch_size=settings["batch_size"])
    try:
        history = training.train(
            model,
            validation=(mh.scale_pixels(images), mh.one_hot(labels)),
            output_dir=output_dir,
            resume=arguments.resume,
            settings=settings,
            verbose=1 if sys.stdout.isatty() else 2,
            **options,
        )
    except KeyboardInterrupt:
        if not backup.exists():
            raise
        training.load_weights(model, weights)
        export(model, weights, litert, settings["recipe"])
        saved = f"the best weights so far are in {weights}, and --resume goes on from the last finished epoch"
        print(f"\nStopped by Ctrl-C: {saved}.", file=sys.stderr)
        return 130
    picture = io.BytesIO()
    mh.plot_learning_curves(history).savefig(picture)
    write_whole(curves, picture.getvalue())
    best = min(range(len(history["val_loss"])), key=history["val_loss"].__getitem__)
    print(
        f"Trained {len(history['loss'])} epochs; the best was epoch {best + 1}: validation accuracy "
        f"{history['val_accuracy'][best]:.2%}, validation loss {history['val_loss'][best]:.4f}."
    )
    export(model, weights, litert, settings["recipe"])
    print(f"Saved {weights}, {litert.name}, {paths.LOG_NAME} and {curves.name} beside it.")
    return 0


@command
def main(argv=None):
    arguments = parse_arguments(argv)  # first: TensorFlow takes seconds to import
    from mnist_course import training

    output_dir = arguments.output_dir or paths.shown(paths.OUTPUTS)
    if arguments.resume:
        training.read_settings(output_dir)  # that there is nothing to resume is said before anything is written
    with training.only_training_in(output_dir):  # until what belongs to the weights is saved too
        return train(arguments, output_dir)


if __name__ == "__main__":
    sys.exit(main())
