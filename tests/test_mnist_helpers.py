"""The Keras side of the course, tested on small printed digits, invented losses and invented probabilities."""

import os
import subprocess
import sys

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
from synthetic import make_digits

import mnist_helpers as mh


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


# ---------------------------------------------------------------- data


def test_scale_pixels():
    x = mh.scale_pixels(np.array([[[0] * 14 + [51] * 14] * 27 + [[255] * 28]], np.uint8))
    assert x.shape == (1, 28, 28, 1) and x.dtype == np.float32
    assert x.min() == 0 and x.max() == 1 and x[0, 0, 20, 0] == np.float32(0.2)


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((2, 28, 28), np.float32),
        np.zeros((2, 28, 28), np.int64),
        np.zeros((28, 28), np.uint8),
        np.zeros((2, 32, 32), np.uint8),
        mh.scale_pixels(np.zeros((2, 28, 28), np.uint8)),
    ],
)
def test_scale_pixels_refuses_what_is_not_raw(images):
    with pytest.raises(ValueError, match="Expected raw images, uint8 .* but received"):
        mh.scale_pixels(images)


def test_one_hot():
    y = mh.one_hot(np.array([0, 9, 3]))
    assert y.shape == (3, 10) and y.dtype == np.float32
    assert y.argmax(axis=1).tolist() == [0, 9, 3] and y.sum(axis=1).tolist() == [1, 1, 1]
    assert mh.one_hot(np.array([], int)).shape == (0, 10)


@pytest.mark.parametrize("labels", [[10], [-1], [1.0], [[1, 2]], ["7"], [True]])
def test_one_hot_refuses_other_labels(labels):
    with pytest.raises(ValueError, match="Expected labels, integers from 0 to 9"):
        mh.one_hot(labels)


# ---------------------------------------------------------------- network and training


def test_network_is_the_specified_one():
    model = mh.build_cnn()
    assert [layer.__class__.__name__ for layer in model.layers] == [
        "Conv2D", "MaxPooling2D", "Conv2D", "MaxPooling2D", "Flatten", "Dense", "Dropout", "Dense",
    ]  # fmt: skip
    assert [layer.output.shape[1:] for layer in model.layers[:5]] == [
        (26, 26, 32), (13, 13, 32), (11, 11, 64), (5, 5, 64), (1600,),
    ]  # fmt: skip
    assert model.count_params() == 225_034
    activations = [layer.activation.__name__ for layer in model.layers if hasattr(layer, "activation")]
    assert activations == ["relu", "relu", "relu", "softmax"] and model.layers[6].rate == 0.5
    assert isinstance(model.optimizer, keras.optimizers.Adam) and model.loss == "categorical_crossentropy"
    assert float(model.optimizer.learning_rate) == pytest.approx(0.001)


def test_saved_weights_give_the_same_answers(tmp_path):
    images, _ = make_digits(20)
    model, path = mh.build_cnn(), tmp_path / "new" / mh.WEIGHTS_NAME
    mh.save_weights(model, path)
    other = mh.build_cnn()
    assert not np.allclose(mh.predict(other, images), mh.predict(model, images))
    mh.load_weights(other, path)
    np.testing.assert_array_equal(mh.predict(other, images), mh.predict(model, images))
    assert [file.name for file in path.parent.iterdir()] == [mh.WEIGHTS_NAME]


def test_a_save_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / mh.WEIGHTS_NAME
    path.write_bytes(b"the good file")

    def full_disk(self, filepath):
        filepath.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keras.Model, "save_weights", full_disk)
    with pytest.raises(OSError, match="No space left"):
        mh.save_weights(mh.build_cnn(), path)
    assert path.read_bytes() == b"the good file" and len(list(tmp_path.iterdir())) == 1


def narrow_network():
    return keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10)])


def longer_network():
    """The course's layers with one more at the end: Keras would load its weights without a word."""
    return keras.Sequential([keras.Input((28, 28, 1)), *mh.build_cnn().layers, keras.layers.Dense(10)])


@pytest.mark.parametrize("build", [narrow_network, longer_network])
def test_weights_of_another_network_are_refused(tmp_path, build):
    build().save_weights(tmp_path / "other.weights.h5")
    with pytest.raises(ValueError, match="weights of another network"):
        mh.load_weights(mh.build_cnn(), tmp_path / "other.weights.h5")


def test_missing_and_damaged_weights_are_refused(tmp_path):
    path = tmp_path / mh.WEIGHTS_NAME
    with pytest.raises(ValueError, match="There is no weights file"):
        mh.load_weights(mh.build_cnn(), path)
    whole = mh.SHIPPED_WEIGHTS.read_bytes()
    for content in (b"", b"not hdf5", whole[: len(whole) // 2]):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="not a whole weights file"):
            mh.load_weights(mh.build_cnn(), path)


def test_own_weights_come_before_the_shipped(tmp_path, capsys):
    mh.load_trained_cnn(tmp_path)
    assert "the shipped weights" in capsys.readouterr().out
    own = mh.build_cnn()
    mh.save_weights(own, tmp_path / mh.WEIGHTS_NAME)
    loaded = mh.load_trained_cnn(tmp_path)
    assert "your own weights" in capsys.readouterr().out
    np.testing.assert_array_equal(loaded.get_weights()[0], own.get_weights()[0])


def play(callback, losses, model):
    """Tell a callback invented validation losses, an epoch each; return how many epochs it let pass."""
    callback.set_model(model)
    callback.on_train_begin()
    model.stop_training = False
    for epoch, loss in enumerate(losses):
        callback.on_epoch_end(epoch, {"val_loss": loss})
        if model.stop_training:
            return epoch + 1
    return len(losses)


def test_early_stopping_counts_from_the_last_minimum():
    model = mh.build_cnn()
    assert play(mh.EarlyStopping(3), [5, 4, 4.5, 3, 3.5, 3.6, 3.7, 1], model) == 7
    assert play(mh.EarlyStopping(3), [5, 4, 3, 2], model) == 4


def test_early_stopping_remembers_the_epochs_before_a_resumed_training():
    assert play(mh.EarlyStopping(3, past_losses=[5, 3, 3.5]), [3.6, 3.7, 1], mh.build_cnn()) == 2


def test_best_weights_saves_new_minima_only(tmp_path):
    model, path, saved = mh.build_cnn(), tmp_path / mh.WEIGHTS_NAME, []
    callback = mh.BestWeights(path)
    callback.set_model(model)
    for epoch, loss in enumerate([3, 2, float("nan"), 2.5, 2, 1]):
        callback.on_epoch_end(epoch, {"val_loss": loss})
        if path.exists():
            path.unlink()
            saved.append(epoch)
    assert saved == [0, 1, 5]


def test_backup_keeps_the_last_epoch_with_its_optimizer(tmp_path):
    model = mh.build_cnn()
    backup = mh.ResumableBackup(tmp_path / "backup")
    backup.set_model(model)
    images, labels = make_digits(20)
    model.train_on_batch(mh.scale_pixels(images), mh.one_hot(labels))
    for epoch in range(3):
        backup.on_epoch_end(epoch, {})
    assert [path.name for path in backup.folder.iterdir()] == ["epoch_003.weights.h5"]
    restored = mh.build_cnn()
    assert backup.load(restored) == 3
    assert int(restored.optimizer.iterations) == 1
    for one, other in zip(model.optimizer.variables, restored.optimizer.variables, strict=True):
        np.testing.assert_array_equal(one, other)


class Interrupt(keras.callbacks.Callback):
    """Ctrl-C in the middle of an epoch."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch, self.now = epoch, 0

    def on_epoch_begin(self, epoch, logs=None):
        self.now = epoch + 1

    def on_train_batch_end(self, batch, logs=None):
        if self.now == self.epoch:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def digits():
    images, labels = make_digits(120)
    return mh.scale_pixels(images), mh.one_hot(labels)


def interrupted_training(digits, folder, epoch):
    model = mh.build_cnn()
    fit = model.fit
    model.fit = lambda *args, callbacks, **options: fit(*args, callbacks=[*callbacks, Interrupt(epoch)], **options)
    with pytest.raises(KeyboardInterrupt):
        mh.train(model, digits, digits, folder, epochs=4, batch_size=60, verbose=0)


def test_train_resumes_after_the_last_finished_epoch(tmp_path, digits):
    interrupted_training(digits, tmp_path, epoch=3)
    before = mh.read_history(tmp_path / mh.LOG_NAME)
    assert len(before["loss"]) == 2
    (tmp_path / mh.LOG_NAME).open("a").write("2,0.1")  # the row that a power cut left unfinished

    model = mh.build_cnn()
    history = mh.train(model, digits, digits, tmp_path, epochs=4, batch_size=60, resume=True, verbose=0)
    assert {name: values[:2] for name, values in history.items()} == before
    assert {len(values) for values in history.values()} == {4}
    assert not (tmp_path / "backup").exists()
    best = model.evaluate(*digits, verbose=0, batch_size=120)[0]
    assert best == pytest.approx(min(history["val_loss"]), rel=1e-4)


def test_resume_goes_on_with_the_pictures_of_the_next_epoch(tmp_path, digits):
    seen = []

    class Pictures(mh.keras.utils.PyDataset):
        epoch = 0

        def __len__(self):
            return 2

        def __getitem__(self, batch):
            seen.append(self.epoch)
            return digits[0][:60], digits[1][:60]

        def on_epoch_end(self):
            self.epoch += 1

    interrupted_training(digits, tmp_path, epoch=3)
    mh.train(mh.build_cnn(), (Pictures(), None), digits, tmp_path, epochs=4, resume=True, verbose=0)
    assert set(seen) >= {2, 3} and min(seen) == 2


def test_resume_never_replaces_better_weights_by_worse(tmp_path, digits):
    interrupted_training(digits, tmp_path, epoch=3)
    rows = (tmp_path / mh.LOG_NAME).read_text().splitlines()
    lower = ",".join([*rows[2].split(",")[:-1], "0.000001"])  # as if epoch 2 had been very good
    (tmp_path / mh.LOG_NAME).write_text("\n".join([*rows[:2], lower]) + "\n")
    good = (tmp_path / mh.WEIGHTS_NAME).read_bytes()
    mh.train(mh.build_cnn(), digits, digits, tmp_path, epochs=4, batch_size=60, resume=True, verbose=0)
    assert (tmp_path / mh.WEIGHTS_NAME).read_bytes() == good


def test_new_training_keeps_the_weights_of_the_one_before(tmp_path, digits):
    earlier = tmp_path / mh.WEIGHTS_NAME
    earlier.write_bytes(b"weights of last week")
    mh.train(mh.build_cnn(), digits, digits, tmp_path, epochs=1, verbose=0)
    assert (tmp_path / f"previous_{mh.WEIGHTS_NAME}").read_bytes() == b"weights of last week"


def test_nothing_to_resume_and_a_diverged_loss_are_said(tmp_path, digits):
    with pytest.raises(ValueError, match="no interrupted training"):
        mh.train(mh.build_cnn(), digits, digits, tmp_path, resume=True)
    x, y = digits
    with pytest.raises(ValueError, match="try a smaller learning rate"):
        mh.train(mh.build_cnn(), (x, y * np.nan), (x, y * np.nan), tmp_path, epochs=1, verbose=0)
    assert not (tmp_path / mh.WEIGHTS_NAME).exists()


# ---------------------------------------------------------------- evaluation


def invented_probabilities(digits, confidence):
    probabilities = np.full((len(digits), 10), (1 - np.array(confidence, float)[:, None]) / 9)
    probabilities[np.arange(len(digits)), digits] = confidence
    return probabilities


def test_evaluate_counts_right():
    labels = np.array([0, 0, 1, 1])
    results = mh.evaluate(labels, invented_probabilities([0, 1, 1, 1], [0.9, 0.8, 0.7, 0.6]))
    assert results["accuracy"] == 0.75
    assert results["loss"] == pytest.approx(-np.mean(np.log([0.9, 0.2 / 9, 0.7, 0.6])))
    assert results["recall"][:3].tolist() == [0.5, 1, 0]
    assert results["precision"][:2].tolist() == pytest.approx([1, 2 / 3])
    assert results["f1"][:2].tolist() == pytest.approx([2 / 3, 0.8])
    matrix = results["confusion_matrix"]
    assert matrix.shape == (10, 10) and matrix.sum() == 4 and matrix[0, 1] == 1 and matrix[1, 1] == 2
    low, high = results["interval"]  # Wilson's formula for 3 of 4, by hand
    z = 1.959964
    centre, half = (0.75 + z**2 / 8) / (1 + z**2 / 4), z * np.sqrt(0.75 * 0.25 / 4 + z**2 / 64) / (1 + z**2 / 4)
    assert (low, high) == pytest.approx((centre - half, centre + half), abs=1e-6)


def test_loss_agrees_with_keras():
    rng = np.random.default_rng(0)
    probabilities, labels = rng.dirichlet(np.ones(10), size=50).astype("float32"), rng.integers(0, 10, 50)
    expected = keras.losses.categorical_crossentropy(mh.one_hot(labels), probabilities)
    assert mh.evaluate(labels, probabilities)["loss"] == pytest.approx(float(np.mean(expected)), rel=1e-5)


@pytest.mark.parametrize("shape", [(3, 10), (4, 9), (4,)])
def test_evaluate_refuses_shapes_that_do_not_match(shape):
    with pytest.raises(ValueError, match="Expected labels .* but received"):
        mh.evaluate(np.zeros(4, int), np.zeros(shape))


def test_most_confused_lists_mistakes_only():
    matrix = np.diag([100] * 10)
    matrix[4, 9], matrix[3, 5], matrix[9, 4] = 7, 2, 3
    assert mh.most_confused(matrix) == [(4, 9, 7), (9, 4, 3), (3, 5, 2)]
    assert mh.most_confused(matrix, count=1) == [(4, 9, 7)]


def test_misclassified_are_ranked_by_confidence():
    probabilities = invented_probabilities([1, 2, 3, 4], [0.6, 0.9, 0.99, 0.8])
    assert mh.rank_misclassified([5, 5, 3, 5], probabilities).tolist() == [1, 3, 0]


def test_shipped_weights_read_validation_images():
    _, (images, labels) = mh.split_train_validation(*mh.load_mnist()[0])
    model = mh.build_cnn()
    mh.load_weights(model, mh.SHIPPED_WEIGHTS)
    assert mh.evaluate(labels[:2000], mh.predict(model, images[:2000]))["accuracy"] > 0.985


# ---------------------------------------------------------------- plots, by what they drew


def test_plot_images():
    images, labels = make_digits(13)
    figure = mh.plot_images(images, [f"label {label}" for label in labels])
    drawn = [axes for axes in figure.axes if axes.images]
    assert len(drawn) == 13 and len(figure.axes) == 20
    np.testing.assert_array_equal(drawn[4].images[0].get_array(), images[4])
    assert drawn[4].get_title() == f"label {labels[4]}" and figure.get_facecolor() == (1, 1, 1, 1)
    with pytest.raises(ValueError, match="Expected images"):
        mh.plot_images(images[:0])


def test_plot_class_counts():
    ax = mh.plot_class_counts({"training": np.array([0, 0, 7]), "test": np.array([7])})
    assert [bar.get_height() for bar in ax.containers[0]] == [2, 0, 0, 0, 0, 0, 0, 1, 0, 0]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["training", "test"]
    assert ax.get_xlabel() == "digit"


def test_plot_learning_curves_marks_the_best_epoch():
    history = {"loss": [3, 2, 1], "val_loss": [3, 1, 2], "accuracy": [0.1, 0.5, 0.6], "val_accuracy": [0.2, 0.6, 0.5]}
    for ax, name in zip(mh.plot_learning_curves(history), ("loss", "accuracy"), strict=True):
        assert ax.lines[0].get_ydata().tolist() == history[name]
        assert ax.lines[1].get_ydata().tolist() == history[f"val_{name}"]
        assert ax.lines[0].get_xdata().tolist() == [1, 2, 3] and list(ax.lines[2].get_xdata()) == [2, 2]
        assert "best epoch: 2" in [text.get_text() for text in ax.get_legend().get_texts()]


def test_plot_confusion_matrix_prints_every_count():
    matrix = np.diag(range(10, 20))
    matrix[4, 9] = 3
    ax = mh.plot_confusion_matrix(matrix)
    assert {(*text.get_position(), text.get_text()) for text in ax.texts} == {
        (9, 4, "3"), *((digit, digit, str(10 + digit)) for digit in range(10)),
    }  # fmt: skip
    assert np.isnan(np.ma.filled(ax.images[0].get_array(), np.nan).diagonal()).all()


def test_plot_misclassified_shows_truth_reading_and_confidence():
    images, _ = make_digits(4)
    probabilities = invented_probabilities([1, 2, 3, 4], [0.6, 0.9, 0.99, 0.8])
    figure = mh.plot_misclassified(images, np.array([5, 5, 3, 5]), probabilities, count=2)
    assert [axes.get_title() for axes in figure.axes] == ["true 5, read 2\n90.0% sure", "true 5, read 4\n80.0% sure"]
    with pytest.raises(ValueError, match="No image is misclassified"):
        mh.plot_misclassified(images, np.array([1, 2, 3, 4]), probabilities)


# ---------------------------------------------------------------- the import


def test_import_says_nothing_and_changes_nothing():
    code = (
        "import os, random, sys, matplotlib, numpy as np\n"
        "look = lambda: (dict(os.environ), random.getstate(), str(np.random.get_state()), dict(matplotlib.rcParams))\n"
        "import mnist_helpers\n"  # imports Keras, which sets a seed of its own; from here on only our lines count
        "before = look()\n"
        "del sys.modules['mnist_helpers']\n"
        "import mnist_helpers\n"
        "print([one == other for one, other in zip(before, look())])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=mh.ROOT, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[True, True, True, True]\n", "")


def test_stderr_comes_back_after_the_import(capfd):
    with mh.quiet_stderr():
        os.write(2, b"hidden")
    os.write(2, b"seen")
    assert capfd.readouterr().err == "seen"
