"""The recipes of `train_model.py --recipe`: one row each says which network is trained, on what, and how.

Whatever speaks of a recipe reads its row: the commands, the README's table, the benchmarks and notebook 08. What each
reaches, with its spread, is in benchmarks/seeds.json.
"""

from typing import NamedTuple


class Recipe(NamedTuple):
    """A row; `recipe._replace(epochs=5)` is the same recipe with other epochs."""

    purpose: str
    network: str  # one of networks.BUILDERS
    pictures: str  # what the network is trained on: "MNIST", "warped" or "other hands"
    schedule: str  # of the learning rate: "constant", "half a cosine" or "one cycle"
    epochs: int  # at most
    learning_rate: float  # at its largest
    patience: int | None  # epochs without improvement before training stops; None: it never stops early
    places: int  # at which an image is read; more than one: the mean of the probabilities


RECIPES = {
    "standard": Recipe("the course's specification", "standard", "MNIST", "constant", 20, 0.001, 5, 1),
    "fast": Recipe("the shortest way to 99 %", "fast", "MNIST", "one cycle", 2, 0.01, None, 1),
    "robust": Recipe("other people's handwriting", "standard", "other hands", "half a cosine", 36, 0.002, None, 1),
    "tiny": Recipe("at most 10,000 parameters", "tiny", "warped", "one cycle", 8, 0.01, None, 1),
    "record": Recipe("at most 330,000 parameters", "record", "warped", "one cycle", 32, 0.004, None, 5),
}


def prepare(recipe, images, labels, *, seed, batch_size=128, build=None):
    """Return the compiled network of `recipe`, a row, and the arguments that `training.train` takes from the recipe.

    `images` are the training images, uint8 (n, 28, 28), `labels` integers (n,). `seed`, a whole number from 0, sets
    Keras's, NumPy's and Python's random numbers and decides the order of the images and what is done to them. Changed
    pictures come in batches of 128, MNIST in those of `batch_size`. With `build`, a function that returns another
    network, that one takes the place of the recipe's. The arguments are a dict with "training", "epochs" and
    "patience".
    """
    import keras  # here, because the rows are read where nothing is trained

    import mnist_helpers as mh
    from mnist_course import augmentation, networks, training

    keras.utils.set_random_seed(seed)
    if recipe.pictures == "MNIST":
        x, y = mh.scale_pixels(images), mh.one_hot(labels)
        batches = training.ShuffledBatches(x, y, seed=seed, batch_size=batch_size)
    else:
        kind = {"warped": augmentation.WarpedPictures, "other hands": augmentation.RobustPictures}[recipe.pictures]
        batches = kind(images, labels, seed=seed)
    model = (build or networks.BUILDERS[recipe.network])()
    optimizer = keras.optimizers.Adam(_learning_rate(recipe, recipe.epochs * len(batches)))
    at_once = 1 if keras.backend.backend() == "torch" else 8  # steps between two looks of Python; PyTorch can only 1.
    # On TensorFlow it gives the same results in a tenth less of `fast`'s time
    model.compile(optimizer, "categorical_crossentropy", metrics=["accuracy"], steps_per_execution=at_once)
    patience = recipe.epochs if recipe.patience is None else recipe.patience
    return model, {"training": batches, "epochs": recipe.epochs, "patience": patience}


def _learning_rate(recipe, steps):
    """Return what Adam takes as the learning rate of a training of so many steps: a number or a schedule.

    Half a cosine falls to 0. Source: Loshchilov and Hutter, SGDR: Stochastic Gradient Descent with Warm Restarts
    (2017).
    """
    from keras.optimizers.schedules import CosineDecay

    if recipe.schedule == "one cycle":
        return one_cycle(recipe.learning_rate, steps)
    return CosineDecay(recipe.learning_rate, steps) if recipe.schedule == "half a cosine" else recipe.learning_rate


def one_cycle(rate, steps):
    """Return a schedule of the learning rate: up to `rate` in a tenth of the steps, then down to 0 as a cosine falls.

    Source: Smith and Topin, Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates (2018).
    """
    from keras.optimizers.schedules import CosineDecay

    rising = max(1, steps // 10)
    return CosineDecay(rate / 20, max(1, steps - rising), warmup_target=rate, warmup_steps=rising)
