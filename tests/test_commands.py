"""The commands as a user types them: tiny settings, small printed digits instead of MNIST."""

import json
import os
import resource
import signal
import subprocess
import sys
import time

import filelock
import numpy as np
import pytest
from PIL import Image
from synthetic import make_digits

import evaluate_model
import mnist_helpers as mh
import train_model
from mnist_course import networks, paths, reader, training

SMALL_TRAINING = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # shells start background jobs, and their children, without it
sys.path[:0] = [{root!r}, {root!r} + "/tests"]
import mnist_helpers as mh, synthetic, train_model
images, labels = synthetic.make_digits({count})
mh.load_mnist = lambda: ((images, labels), (images[:100], labels[:100]))
sys.exit(train_model.main({arguments!r}))
"""


def start_training(*arguments, count=12_000):
    """Start `train_model.py` in a process of its own on small printed digits (6,000 of `count` are for validation)."""
    code = SMALL_TRAINING.format(root=str(paths.ROOT), count=count, arguments=[str(argument) for argument in arguments])
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([sys.executable, "-uc", code], text=True, **pipes, env=os.environ | {"MPLBACKEND": "Agg"})


def wait_for(process, text, seconds=120):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and (line := process.stdout.readline()):
        if text in line:
            return
    pytest.fail(f"never printed {text!r}: {process.stderr.read()}")


@pytest.fixture
def small_mnist(monkeypatch):
    """200 training images, of which 50 are for validation, and 100 others to test with."""
    monkeypatch.setattr(mh, "load_mnist", lambda: (make_digits(200), make_digits(100, seed=1)))
    split = mh.split_train_validation
    monkeypatch.setattr(mh, "split_train_validation", lambda *parts: split(*parts, validation_size=50))


def run(*command, cwd=paths.ROOT):
    return subprocess.run([sys.executable, *map(str, command)], cwd=cwd, capture_output=True, text=True)


# ---------------------------------------------------------------- train_model.py


def test_train_kill_resume_and_interrupt(tmp_path):
    """kill -9 in epoch 2; --resume goes on there; Ctrl-C keeps the best weights and can be resumed as well."""
    model = mh.build_cnn()
    process = start_training("--output-dir", tmp_path, "--epochs", 9)
    wait_for(process, "Epoch 2/")
    process.kill()
    process.wait()
    training.load_weights(model, tmp_path / paths.WEIGHTS_NAME)
    assert len(training.read_history(tmp_path / paths.LOG_NAME)["loss"]) == 1

    process = start_training("--output-dir", tmp_path, "--epochs", 9, "--resume")
    wait_for(process, "Epoch 2/")  # not 1
    wait_for(process, "Epoch 3/")
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    weights = tmp_path / paths.WEIGHTS_NAME
    assert errors.strip().count("\n") == 0 and f"the best weights so far are in {weights}" in errors
    assert len(training.read_history(tmp_path / paths.LOG_NAME)["loss"]) == 2
    note = paths.recipe_note(paths.LITERT_NAME).name
    kept = [".training.lock", paths.BACKUP_NAME, note, paths.LITERT_NAME, paths.WEIGHTS_NAME, paths.LOG_NAME]
    assert sorted(path.name for path in tmp_path.iterdir()) == kept
    training.load_weights(model, weights)


def test_train_saves_weights_log_and_curves_and_prints_validation_only(tmp_path, small_mnist, capsys):
    assert train_model.main(["--output-dir", str(tmp_path), "--epochs", "2", "--batch-size", "50"]) == 0
    out = capsys.readouterr().out
    assert "Trained 2 epochs" in out and "validation accuracy" in out and "test accuracy" not in out.lower()
    history = training.read_history(tmp_path / paths.LOG_NAME)
    assert len(history["val_loss"]) == 2
    assert Image.open(tmp_path / "learning_curves.png").size[0] > 500
    model = mh.build_cnn()
    training.load_weights(model, tmp_path / paths.WEIGHTS_NAME)


def test_train_learns_from_the_training_part_and_is_judged_on_the_validation_part(tmp_path, small_mnist, monkeypatch):
    seen = []

    def note(model, training, validation, output_dir, **options):
        seen.append(((training.x, training.y), validation))
        raise ValueError("Enough.")

    monkeypatch.setattr(training, "train", note)
    assert train_model.main(["--output-dir", str(tmp_path)]) == 2
    parts = mh.split_train_validation(*mh.load_mnist()[0])
    assert [len(part[0]) for part in parts] == [150, 50]
    for (x, y), (images, labels) in zip(seen[0], parts, strict=True):
        np.testing.assert_array_equal(x, mh.scale_pixels(images))
        np.testing.assert_array_equal(y, mh.one_hot(labels))


@pytest.mark.parametrize("recipe", ["robust", "fast", "tiny", "record"])
def test_every_recipe_trains_and_its_network_is_evaluated_and_exported(recipe, tmp_path, small_mnist, capsys):
    assert train_model.main(["--recipe", recipe, "--output-dir", str(tmp_path), "--epochs", "1"]) == 0
    assert "Trained 1 epochs" in capsys.readouterr().out and paths.read_recipe(tmp_path / paths.LITERT_NAME) == recipe
    images = make_digits(20)[0]
    model = networks.load_network(tmp_path / paths.WEIGHTS_NAME)
    exported = reader.Reader(tmp_path / paths.LITERT_NAME).read(images)
    np.testing.assert_allclose(exported, mh.predict(model, images), atol=1e-5)
    np.testing.assert_allclose(mh.predict(networks.load_trained_network(tmp_path), images), exported, atol=1e-5)
    with pytest.raises(SystemExit) as stop:
        train_model.main(["--recipe", recipe, "--batch-size", "64"])
    assert stop.value.code == 2 and "leave out --batch-size" in capsys.readouterr().err


def test_same_seed_same_start(tmp_path, small_mnist, monkeypatch):
    monkeypatch.setattr(training, "export_litert", lambda *arguments: None)
    losses = []
    for place, seed in enumerate(("3", "3", "4")):
        folder = tmp_path / str(place)
        train_model.main(["--output-dir", str(folder), "--epochs", "1", "--batch-size", "50", "--seed", seed])
        losses.append(training.read_history(folder / paths.LOG_NAME)["loss"][0])
    assert losses[0] == pytest.approx(losses[1], rel=1e-4) and losses[0] != pytest.approx(losses[2], rel=1e-4)


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (["--epochs", "0"], "expected a whole number of at least 1, received '0'"),
        (["--epochs", "two"], "expected a whole number of at least 1, received 'two'"),
        (["--batch-size", "0"], "expected a whole number of at least 1, received '0'"),
        (["--batch-size", "1.5"], "expected a whole number of at least 1, received '1.5'"),
        (["--patience", "-1"], "expected a whole number of at least 0, received '-1'"),
        (["--learning-rate", "0"], "expected a number above 0 and up to 1, received '0'"),
        (["--learning-rate", "nan"], "expected a number above 0 and up to 1, received 'nan'"),
        (["--seed", "-1"], "expected a whole number from 0 to 4294967295, received '-1'"),
        (["--seed", "4294967296"], "expected a whole number from 0 to 4294967295"),
    ],
)
def test_train_refuses_arguments_out_of_range(arguments, sentence, capsys):
    with pytest.raises(SystemExit) as stop:
        train_model.main(arguments)
    assert stop.value.code == 2 and sentence in capsys.readouterr().err


def test_the_folder_is_held_until_what_belongs_to_the_weights_is_saved(tmp_path, small_mnist, monkeypatch):
    def export(model, path, recipe):
        with pytest.raises(filelock.Timeout):
            filelock.FileLock(path.parent / ".training.lock").acquire(timeout=0)

    monkeypatch.setattr(training, "export_litert", export)
    assert train_model.main(["--output-dir", str(tmp_path), "--epochs", "1", "--batch-size", "50"]) == 0
    with filelock.FileLock(tmp_path / ".training.lock", timeout=0):  # and free again
        pass


def test_weights_and_curves_stay_when_the_export_needs_what_is_not_there(tmp_path, small_mnist, monkeypatch, capsys):
    def export(*arguments):
        raise ValueError("TensorFlow is missing.")

    monkeypatch.setattr(training, "export_litert", export)
    assert train_model.main(["--output-dir", str(tmp_path), "--epochs", "1", "--batch-size", "50"]) == 2
    out, errors = capsys.readouterr()
    weights = tmp_path / paths.WEIGHTS_NAME
    assert "Trained 1 epochs" in out and (tmp_path / "learning_curves.png").exists()
    assert errors == (
        f"train_model.py: The weights are saved in {weights}, but {paths.LITERT_NAME} is not. TensorFlow is missing.\n"
    )
    training.load_weights(mh.build_cnn(), weights)


@pytest.fixture
def stopped(tmp_path, small_mnist, monkeypatch, capsys):
    """The folder of a training of `fast` with seed 3 that Ctrl-C stopped after its first epoch."""
    fit = training.train

    def stop_in_second_epoch(*arguments, **options):
        class Stop(training.keras.callbacks.Callback):
            def on_epoch_begin(self, epoch, logs=None):
                if epoch == 1:
                    raise KeyboardInterrupt

        return fit(*arguments, callbacks=[Stop()], **options)

    with monkeypatch.context() as patch:
        patch.setattr(training, "train", stop_in_second_epoch)
        patch.setattr(training, "export_litert", lambda *arguments: None)
        assert train_model.main(["--recipe", "fast", "--seed", "3", "--output-dir", str(tmp_path)]) == 130
    capsys.readouterr()
    return tmp_path


def test_resume_takes_the_settings_from_the_backup_and_says_them(stopped, monkeypatch, capsys):
    monkeypatch.setattr(training, "export_litert", lambda *arguments: None)
    assert train_model.main(["--resume", "--seed", "3", "--output-dir", str(stopped)]) == 0
    out = capsys.readouterr().out
    assert "Going on after epoch 1: recipe fast, batch size 128, seed 3, epochs 2, learning rate 0.01" in out
    assert "Trained 2 epochs" in out


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--seed", "4"], "with seed 3: leave out --seed."),
        (["--recipe", "standard"], "with recipe fast: leave out --recipe."),
        (["--learning-rate", "0.1"], "with learning rate 0.01: leave out --learning-rate."),
        (["--epochs", "9"], "with epochs 2: leave out --epochs."),
    ],
)
def test_resume_refuses_other_settings(arguments, words, stopped, capsys):
    assert train_model.main(["--resume", "--output-dir", str(stopped), *arguments]) == 2
    assert capsys.readouterr().err == f"train_model.py: --resume goes on as the training began, {words}\n"
    assert training.read_settings(stopped)[1] == 1


def test_train_says_when_there_is_nothing_to_resume_or_nowhere_to_write(tmp_path, small_mnist, capsys):
    assert train_model.main(["--resume", "--output-dir", str(tmp_path)]) == 2
    assert "There is no interrupted training" in capsys.readouterr().err
    (tmp_path / "file").write_text("not a folder")
    assert train_model.main(["--output-dir", str(tmp_path / "file"), "--epochs", "1"]) == 2
    errors = capsys.readouterr().err
    assert errors.startswith("train_model.py: ") and errors.count("\n") == 1 and "file" in errors


def processor_seconds():
    """Return the processor time of all ended child processes: unlike the clock, it does not see what else runs here."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def test_wrong_arguments_are_refused_before_tensorflow_is_imported():
    before = processor_seconds()
    done = run("train_model.py", "--epochs", "0")
    assert done.returncode == 2 and "Traceback" not in done.stderr and processor_seconds() - before < 1.5


# ---------------------------------------------------------------- evaluate_model.py


def test_evaluate_prints_and_draws(tmp_path, small_mnist, capsys):
    assert evaluate_model.main(["--output-dir", str(tmp_path), "--weights", str(paths.SHIPPED_WEIGHTS)]) == 0
    out = capsys.readouterr().out
    assert "Test accuracy" in out and "95 % interval" in out and "Most frequent confusions" in out
    table = out.split("F1\n")[1].splitlines()
    assert [row.split()[:2] for row in table[:10]] == [[str(digit), "10"] for digit in range(10)]  # of the test images
    for name in ("confusion_matrix.png", "misclassified.png"):
        assert Image.open(tmp_path / name).size[0] > 500


def test_evaluate_json(tmp_path, small_mnist, capsys):
    assert evaluate_model.main(["--output-dir", str(tmp_path), "--weights", str(paths.SHIPPED_WEIGHTS), "--json"]) == 0
    results = json.loads(capsys.readouterr().out)
    assert results["interval"][0] < results["accuracy"] < results["interval"][1]
    assert len(results["recall"]) == 10 and sum(map(sum, results["confusion_matrix"])) == 100


def test_evaluate_reads_at_the_places_of_record(tmp_path, small_mnist, capsys):
    training.keras.utils.set_random_seed(0)
    training.save_weights(networks.build_fast(), tmp_path / "some.weights.h5")
    losses = []
    for shifts in ([], ["--shifts"]):
        options = ["--weights", str(tmp_path / "some.weights.h5"), "--output-dir", str(tmp_path), "--json", *shifts]
        assert evaluate_model.main(options) == 0
        losses.append(json.loads(capsys.readouterr().out)["loss"])
    model, (images, labels) = networks.load_network(tmp_path / "some.weights.h5"), mh.load_mnist()[1]
    expected = [mh.evaluate(labels, networks.predict_at_places(model, images, n))["loss"] for n in (1, 5)]
    assert losses == pytest.approx(expected, rel=1e-6) and losses[0] != pytest.approx(losses[1], rel=1e-5)


@pytest.mark.parametrize("content", [None, b"", "half"])
def test_evaluate_refuses_bad_weights(tmp_path, content, capsys):
    path = tmp_path / "my.weights.h5"
    whole = paths.SHIPPED_WEIGHTS.read_bytes()
    if content is not None:
        path.write_bytes(whole[: len(whole) // 2] if content == "half" else content)
    assert evaluate_model.main(["--output-dir", str(tmp_path / "out"), "--weights", str(path)]) == 2
    errors = capsys.readouterr().err
    assert errors.startswith("evaluate_model.py: ") and errors.count("\n") == 1 and "my.weights.h5" in errors
    assert not (tmp_path / "out").exists()


def test_evaluate_says_when_it_cannot_write(tmp_path, small_mnist, capsys):
    (tmp_path / "file").write_text("not a folder")
    assert evaluate_model.main(["--output-dir", str(tmp_path / "file")]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.startswith("evaluate_model.py: ") and captured.err.count("\n") == 1
