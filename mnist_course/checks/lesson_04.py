"""Checks of the exercises in notebook 04."""

from types import SimpleNamespace

import numpy as np

from mnist_course.exercises import NotYet, array, call, exercise, number
from mnist_course.quiz import Question

QUIZ = (
    Question(
        "Images of 56 x 56 come instead of 28 x 28. How many parameters has the first convolution, 32 filters of 3 "
        "x 3, now?",
        (
            (
                "Four times as many, as there are four times the pixels",
                "Every place uses the same filter. The dense layer would grow: it has a weight for each value it gets.",
            ),
            (
                "As many as before, as the same filters visit more places",
                "32 x (9 + 1) = 320, whatever the size of the image. Only the dense layer would grow.",
            ),
            (
                "As many as before, as pooling halves the pictures first",
                "The number is right, the reason is not: pooling comes after it, and the filters are as small as "
                "before.",
            ),
        ),
        right="b",
    ),
    Question(
        "After some dozens of updates on one batch, the network reads all its 128 images. What does that show?",
        (
            (
                "It reads new digits well",
                "On validation images it was clearly worse than on its batch: it knew these 128 by heart.",
            ),
            (
                "The labels are right",
                "It learned shuffled labels by heart too, so this check cannot see what the labels mean.",
            ),
            (
                "Learning works, nothing more",
                "The way from pixels to loss works, and updates lower the loss. A table of images and labels would "
                "score 100 % too.",
            ),
        ),
        right="c",
    ),
    Question(
        "In an image, one pixel is 0. What slope does this image give to a weight that multiplies only this pixel?",
        (
            ("Exactly 0", "The slope is (share - target) times pixel. An image moves only the weights under its ink."),
            ("A small one, but not 0", "The pixel is a factor of the slope, so a pixel of 0 makes it exactly 0."),
            (
                "A large one, as the reading is wrong",
                "A wrong reading makes (share - target) large, but that is multiplied by the pixel, 0.",
            ),
        ),
        right="a",
    ),
)

OTHER_UPDATES = {
    843 * 7: "The last batch of an epoch holds fewer images, but it is an update too: round up.",
    5_906: "Round up to whole batches in each epoch, not once at the end.",
    5_907: "Round up to whole batches in each epoch, not once at the end.",
    844: "That is one epoch; the question asks for seven.",
    422 * 7: "That is the lesson's batch size of 128; the question asks for 64.",
    938 * 7: "You divided 60,000 images; 6,000 of them are for validation and update nothing.",
    54_000 * 7: "That is how often an image is looked at; each update looks at 64 of them.",
}


@exercise(
    "4.1",
    hints=[
        "How many batches of 64 does one epoch have? The last one may be smaller than the others.",
        "54,000 / 64 is 843.75, so an epoch has 843 full batches and a smaller one.",
        "int(np.ceil(54_000 / 64)) updates an epoch, times 7.",
    ],
    takeaway="Half the batch size means about twice as many updates an epoch; comparing by epochs alone misleads.",
)
def check_updates(answer):
    updates = number(answer)
    if int(updates) in OTHER_UPDATES:
        raise NotYet(OTHER_UPDATES[int(updates)])
    if updates != 844 * 7:
        raise NotYet(f"It is not {updates:,g}. Count the updates of one epoch first, then of seven.")


RATES = (0.001, 0.01, 0.1)


@exercise(
    "4.2",
    hints=[
        "Train three times, each time a new network from mh.build_cnn(learning_rate=rate) after the same seed.",
        "batches = training.ShuffledBatches(x_train[:2000], y_train[:2000], seed=0), and then histories[rate] = "
        "model.fit(batches, validation_data=(x_validation, y_validation), epochs=3).history.",
        'best_rate is the rate whose histories[rate]["val_accuracy"][-1] is the largest of the three.',
    ],
    takeaway="A larger step learns faster, until it is too large to learn at all. Where that is, only measuring tells.",
)
def check_learning_rates(answer, histories):
    best_rate, last, curves = number(answer), {}, []
    if not isinstance(histories, dict):
        raise NotYet("histories is to be a dict from learning rate to history, such as {0.001: ...}.")
    for rate in RATES:
        if rate not in histories:
            raise NotYet(f"histories has no run with the learning rate {rate}.")
        history = getattr(histories[rate], "history", histories[rate])
        if not isinstance(history, dict) or "val_accuracy" not in history:
            raise NotYet(f"histories[{rate}] has no val_accuracy; put in what model.fit(...).history gives you.")
        curve = array(history["val_accuracy"], (len(history["val_accuracy"]),))
        if len(curve) != 3:
            raise NotYet(f"The run with {rate} has {len(curve)} epochs; compare after exactly 3.")
        last[rate] = float(curve[-1])
        curves.append((tuple(curve), tuple(history.get("val_loss", ()))))
    if len(set(curves)) < 3:
        raise NotYet("Two of the runs are the same to the last digit; did each get its own learning rate?")
    if best_rate not in last:
        raise NotYet(f"best_rate is one of {RATES}, received {best_rate:g}.")
    if last[best_rate] == min(last.values()):
        raise NotYet(f"With {best_rate:g} your validation accuracy ended lowest; look for the highest.")
    if last[best_rate] < max(last.values()):
        raise NotYet(f"With {best_rate:g} you reached {last[best_rate]:.1%} after 3 epochs; another run ended higher.")


CURVES = [  # validation losses, patience, the right epoch, what a wrong answer is likely to have missed
    ([0.9, 0.5, 0.6, 0.7, 0.8, 0.4], 3, 5, "After epoch 2 the loss gets worse three times; then the run ends."),
    (
        [0.5, 0.3, 0.4, 0.35, 0.33, 0.6, 0.7],
        3,
        5,
        "Compare each loss with the minimum so far, not with the epoch before.",
    ),
    ([0.5, 0.6, 0.4, 0.5, 0.3, 0.45, 0.46, 0.2], 2, 7, "A new minimum sets the count of waiting epochs back to 0."),
    ([0.5, 0.4, 0.4, 0.4, 0.3], 2, 4, "A loss equal to the minimum is no improvement."),
    ([0.5, 0.4, 0.3, 0.35], 4, 4, "When nothing stops the run, return the number of epochs it had."),
    ([0.5, 0.6, 0.4], 1, 2, "With a patience of 1, the first epoch without a new minimum ends the run."),
]


@exercise(
    "4.3",
    hints=[
        "Keep two things while you walk through the losses: the minimum so far, and how many epochs ago it was.",
        "A new minimum sets the count to 0, anything else adds 1; when the count reaches patience, return the epoch.",
        "for epoch, loss in enumerate(losses, start=1): if loss < best: best, waited = loss, 0; else: waited += 1; "
        "if waited == patience: return epoch. After the loop: return len(losses).",
    ],
    takeaway="Patience counts epochs since the last new minimum. Too little gives up at a bump, too much costs time.",
)
def check_stopping_epoch(function):
    losses, patience, expected, _ = CURVES[0]
    epoch = number(call(function, losses, patience), whole=True)
    if epoch == expected - 1:
        raise NotYet("The epoch before the right one comes out; epochs count from 1, and patience epochs must pass.")
    if epoch == int(np.argmin(losses[:expected])) + 1:
        raise NotYet("That is the epoch of the minimum; the question asks after which epoch training stops.")
    if epoch == expected + 1:
        raise NotYet("It stops an epoch too late: when as many epochs as patience have passed, it is over.")
    for losses, patience, expected, reason in CURVES:
        epoch = call(lambda *arguments: [function(*arguments)], losses, patience)[0]  # None is an answer here
        if epoch is None or number(epoch, whole=True) != expected:
            raise NotYet(f"For the losses {losses} and a patience of {patience} it returns {epoch}. {reason}")


def play(callback_class, target, accuracies, *, stopped=False):
    """Return whether the callback has stopped a training with these (training, validation) accuracies."""
    callback, model = callback_class(target), SimpleNamespace(stop_training=stopped)
    callback.set_model(model)
    for epoch, (accuracy, val_accuracy) in enumerate(accuracies):
        callback.on_epoch_end(epoch, {"accuracy": accuracy, "val_accuracy": val_accuracy})
    return [bool(model.stop_training)]


@exercise(
    "4.4",
    hints=[
        "Keras calls on_epoch_end after each epoch; logs is a dict, and your network is self.model.",
        'Look at logs["val_accuracy"] and compare it with self.target.',
        'if logs["val_accuracy"] >= self.target: self.model.stop_training = True',
    ],
    takeaway="A callback reads the logs and may set model.stop_training: early stopping works in just this way.",
)
def check_stop_at_accuracy(callback_class):
    if not isinstance(callback_class, type):
        raise NotYet("Pass the class itself, StopAtAccuracy, without brackets.")
    if not hasattr(callback_class, "set_model"):
        raise NotYet("The class has to inherit from keras.callbacks.Callback, or Keras cannot call it.")

    def stops(target, *accuracies, stopped=False):
        return call(lambda: play(callback_class, target, accuracies, stopped=stopped))[0]

    if stops(0.9, (0.5, 0.6)):
        raise NotYet("It stops at a validation accuracy of 0.6 although the target is 0.9.")
    if stops(0.9, (0.95, 0.6)):
        raise NotYet("It stops when the training accuracy reaches the target; the validation accuracy counts.")
    if not stops(0.9, (0.5, 0.95)):
        raise NotYet("At a validation accuracy of 0.95 and a target of 0.9, model.stop_training is not set to True.")
    if not stops(0.7, (0.5, 0.6), (0.6, 0.8)):
        raise NotYet("Right for a target of 0.9, but 0.8 should reach a target of 0.7; use the target that was given.")
    if not stops(0.75, (0.5, 0.75)):
        raise NotYet("It is to stop at the target as well as above it: use >=.")
    if not stops(0.9, (0.5, 0.6), stopped=True):
        raise NotYet(
            "It sets stop_training back to False after another callback asked to stop; only ever set it to True."
        )
