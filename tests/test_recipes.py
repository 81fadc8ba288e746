"""The recipes: rows that say what is trained, and networks, pictures and learning rates made as they say."""

import json

import keras
import numpy as np
import pytest

import mnist_helpers as mh
from mnist_course import augmentation, networks, paths, pen_strokes, recipes, training
from mnist_course.recipes import RECIPES

SEEDS = json.loads((paths.BENCHMARKS / "seeds.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def images_and_labels():
    labels = np.arange(640) % 10
    return pen_strokes.draw_digits(labels, np.random.default_rng(1)), labels


@pytest.mark.parametrize("name", SEEDS)
def test_stored_results_were_measured_with_the_rows_as_they_are(name):
    recipe, _, change = name.partition(", ")  # such as "16 epochs"
    row = RECIPES[recipe]._replace(**({"epochs": int(change.split()[0])} if change.endswith("epochs") else {}))
    assert {"purpose": row.purpose, **SEEDS[name]["recipe"]} == row._asdict()


def test_standard_is_the_specification(images_and_labels):
    model, options = recipes.prepare(RECIPES["standard"], *images_and_labels, seed=0)
    assert (options["epochs"], options["patience"]) == (20, 5)
    assert isinstance(model.optimizer, keras.optimizers.Adam) and model.loss == "categorical_crossentropy"
    assert float(model.optimizer.learning_rate) == pytest.approx(0.001)
    assert [layer.name.rstrip("_0123456789") for layer in model.layers] == [
        layer.name.rstrip("_0123456789") for layer in mh.build_cnn().layers
    ]
    batches = options["training"]
    assert batches.batch_size == 128
    np.testing.assert_array_equal(batches.x, mh.scale_pixels(images_and_labels[0]))
    np.testing.assert_array_equal(batches.y, mh.one_hot(images_and_labels[1]))


@pytest.mark.parametrize("name", RECIPES)
def test_a_row_decides_network_pictures_and_patience(name, images_and_labels):
    row = RECIPES[name]
    model, options = recipes.prepare(row, *images_and_labels, seed=7)
    assert model.count_params() == networks.BUILDERS[row.network]().count_params()
    kinds = {"warped": augmentation.WarpedPictures, "other hands": augmentation.RobustPictures}
    assert type(options["training"]) is kinds.get(row.pictures, training.ShuffledBatches)
    assert options["training"].seed == 7
    assert options["epochs"] == row.epochs
    assert options["patience"] == (row.epochs if row.patience is None else row.patience)


def test_every_network_belongs_to_a_recipe():
    assert {row.network for row in RECIPES.values()} == set(networks.BUILDERS)


def test_the_seed_decides_the_first_weights(images_and_labels):
    first, second, other = (
        recipes.prepare(RECIPES["fast"], *images_and_labels, seed=seed)[0].get_weights()[0] for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(first, second)
    assert (first != other).any()


def test_another_network_takes_the_place_of_the_rows(images_and_labels):
    model, _ = recipes.prepare(RECIPES["record"], *images_and_labels, seed=0, build=networks.build_tiny)
    assert model.count_params() == 8946


def test_robust_learning_rate_falls_to_nothing(images_and_labels):
    model, options = recipes.prepare(RECIPES["robust"]._replace(epochs=3), *images_and_labels, seed=0)
    rate, steps = model.optimizer._learning_rate, 3 * len(options["training"])
    assert float(rate(0)) == pytest.approx(0.002) and float(rate(steps)) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("name", ["fast", "tiny", "record"])
def test_one_cycle_rises_and_then_falls_to_nothing(name, images_and_labels):
    model, options = recipes.prepare(
        RECIPES[name]._replace(epochs=8, learning_rate=0.01), *images_and_labels, seed=0
    )
    rate = [float(model.optimizer._learning_rate(step)) for step in range(41)]  # 5 steps an epoch
    assert options["epochs"] == options["patience"] == 8
    assert rate[0] < 0.001 and max(rate) == pytest.approx(0.01, rel=0.01) and rate.index(max(rate)) == 4
    assert rate[4:] == sorted(rate[4:], reverse=True) and rate[40] == pytest.approx(0, abs=1e-6)
