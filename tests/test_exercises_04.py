"""The exercises of notebook 04: right answers of several forms are accepted, and each mistake is named."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
from exercise_tables import table_tests

from mnist_course import training
from mnist_course.checks import lesson_04


def run(*val_accuracy):
    return {"val_accuracy": list(val_accuracy), "val_loss": [1 - value for value in val_accuracy]}


SLOW, FAST, STUCK = run(0.7, 0.84, 0.88), run(0.88, 0.95, 0.954), run(0.1, 0.1, 0.103)
RUNS = {0.001: SLOW, 0.01: FAST, 0.1: STUCK}


def stopping_epoch(losses, patience, *, improves=lambda loss, best: loss < best, extra=0, never=len):
    best, waited = np.inf, 0
    for epoch, loss in enumerate(losses, start=1):
        if improves(loss, best):
            best, waited = loss, 0
        else:
            waited += 1
        if waited == patience + extra:
            return epoch
    return never(losses)


def stop_by_the_last_minimum(losses, patience):
    for epoch in range(1, len(losses) + 1):
        if epoch - 1 - int(np.argmin(losses[:epoch])) >= patience:
            return np.int64(epoch)
    return len(losses)


def stop_at_rises_in_a_row(losses, patience):
    rises = 0
    for epoch in range(1, len(losses)):
        rises = rises + 1 if losses[epoch] >= losses[epoch - 1] else 0
        if rises == patience:
            return epoch + 1
    return len(losses)


def stop_without_resetting(losses, patience):
    waited = 0
    for epoch in range(1, len(losses) + 1):
        waited += losses[epoch - 1] > min(losses[:epoch]) or losses[epoch - 1] in losses[: epoch - 1]
        if waited == patience:
            return epoch
    return len(losses)


def stop_with_patience_of_two_at_least(losses, patience):
    return stopping_epoch(losses, max(patience, 2))


def callback(act):
    """Return a class of callbacks that do this after each epoch."""

    class StopAtAccuracy(keras.callbacks.Callback):
        def __init__(self, target):
            super().__init__()
            self.target = target

        def on_epoch_end(self, epoch, logs=None):
            act(self, logs)

    return StopAtAccuracy


def stop_if(condition):
    def act(self, logs):
        if condition(self, logs):
            self.model.stop_training = True

    return callback(act)


class RemembersTheBest(keras.callbacks.Callback):
    def __init__(self, target):
        super().__init__()
        self.target, self.best = target, 0

    def on_epoch_end(self, epoch, logs=None):
        self.best = max(self.best, logs.get("val_accuracy", 0))
        self.model.stop_training |= self.best >= self.target


class NoCallback:
    def __init__(self, target): ...


def untouched(*arguments): ...


def untouched_callback(self, logs):
    raise NotImplementedError


def assign_comparison(self, logs):
    self.model.stop_training = logs["val_accuracy"] >= self.target


REACHED = stop_if(lambda self, logs: logs["val_accuracy"] >= self.target)
RIGHT = {
    "4.1": [(5_908,), (np.int64(5_908),), (np.ceil(54_000 / 64) * 7,)],
    "4.2": [
        (0.01, RUNS),
        (np.float64(0.01), {rate: SimpleNamespace(history=history) for rate, history in RUNS.items()}),
        (0.1, {0.1: FAST, 0.01: SLOW, 0.001: run(0.3, 0.5, 0.6)}),
    ],
    "4.3": [(stopping_epoch,), (stop_by_the_last_minimum,)],
    "4.4": [(REACHED,), (RemembersTheBest,)],
}
WRONG = {
    "4.1": [
        ((None,), "not attempted yet"),
        ((5_901,), "round up"),
        ((5_906.25,), "in each epoch, not once at the end"),
        ((5_907,), "in each epoch, not once at the end"),
        ((844,), "That is one epoch"),
        ((2_954,), "batch size of 128"),
        ((6_566,), "You divided 60,000 images"),
        ((378_000,), "how often an image is looked at"),
        ((5_909,), "It is not 5,909"),
    ],
    "4.2": [
        ((None, {}), "not attempted yet"),
        ((0.01, [SLOW, FAST, STUCK]), "a dict from learning rate to history"),
        ((0.01, {0.001: SLOW, 0.01: FAST}), "no run with the learning rate 0.1"),
        ((0.01, RUNS | {0.1: [0.1, 0.1, 0.1]}), "histories[0.1] has no val_accuracy"),
        ((0.01, RUNS | {0.1: {"accuracy": [0.1, 0.1, 0.1]}}), "histories[0.1] has no val_accuracy"),
        ((0.01, RUNS | {0.01: run(0.9, 0.95)}), "with 0.01 has 2 epochs"),
        ((0.01, RUNS | {0.001: FAST}), "the same to the last digit"),
        ((0.95, RUNS), "best_rate is one of (0.001, 0.01, 0.1), received 0.95"),
        ((0.1, RUNS), "ended lowest"),
        ((0.001, RUNS), "you reached 88.0% after 3 epochs; another run ended higher"),
    ],
    "4.3": [
        ((untouched,), "not attempted yet"),
        ((lambda losses, patience: stopping_epoch(losses, patience) - 1,), "epochs count from 1"),
        ((lambda losses, patience: int(np.argmin(losses[:5])) + 1,), "the epoch of the minimum"),
        ((lambda losses, patience: stopping_epoch(losses, patience, extra=1),), "an epoch too late"),
        ((lambda losses, patience: 1,), "the loss gets worse three times"),
        ((stop_at_rises_in_a_row,), "not with the epoch before"),
        ((stop_without_resetting,), "sets the count of waiting epochs back to 0"),
        (
            (lambda losses, patience: stopping_epoch(losses, patience, improves=lambda loss, best: loss <= best),),
            "equal to the minimum is no improvement",
        ),
        (
            (lambda losses, patience: stopping_epoch(losses, patience, never=lambda losses: None),),
            "it returns None. When nothing stops the run",
        ),
        ((stop_with_patience_of_two_at_least,), "With a patience of 1"),
    ],
    "4.4": [
        ((callback(untouched_callback),), "not attempted yet"),
        ((REACHED(0.9),), "Pass the class itself"),
        ((NoCallback,), "inherit from keras.callbacks.Callback"),
        ((stop_if(lambda self, logs: True),), "although the target is 0.9"),
        ((stop_if(lambda self, logs: logs["val_accuracy"] < self.target),), "although the target is 0.9"),
        ((stop_if(lambda self, logs: logs["accuracy"] >= self.target),), "the validation accuracy counts"),
        ((callback(untouched),), "model.stop_training is not set to True"),
        ((callback(lambda self, logs: setattr(self, "stop_training", True)),), "is not set to True"),
        ((stop_if(lambda self, logs: logs["val_accuracy"] >= 0.9),), "use the target that was given"),
        ((stop_if(lambda self, logs: logs["val_accuracy"] > self.target),), "use >="),
        ((callback(assign_comparison),), "after another callback asked to stop"),
        ((callback(lambda self, logs: logs["validation"]),), "The function raised KeyError"),
    ],
}

test_right_answers_are_accepted, test_mistakes_are_named, test_tables_are_complete = table_tests(4, RIGHT, WRONG)


@pytest.mark.parametrize("losses, patience, expected, reason", lesson_04.CURVES)
def test_expected_epochs_are_those_of_early_stopping(losses, patience, expected, reason):
    early_stopping, model = training.EarlyStopping(patience), SimpleNamespace(stop_training=False)
    early_stopping.set_model(model)
    early_stopping.on_train_begin()
    for epoch, loss in enumerate(losses):
        early_stopping.on_epoch_end(epoch, {"val_loss": loss})
        if model.stop_training:
            break
    assert epoch + 1 == expected
