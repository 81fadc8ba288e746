"""Training lines: the same for the same seed, with the answers that belong to them; the network learns to read them."""

import keras
import numpy as np
import pytest
from synthetic import make_digits

from mnist_course import line_pictures, line_training, paths, reader, strips, training, written_lines


@pytest.fixture(scope="module")
def digits():
    return make_digits(300)


@pytest.fixture(scope="module")
def lines(digits):
    return line_pictures.LinePictures(*digits, seed=1, batches=3)


def test_a_batch_has_strips_and_their_answers(lines):
    x, y = lines[0]
    assert len(lines) == 3
    assert x.dtype == np.float32 and x.shape[1:] == (strips.HEIGHT, line_pictures.WIDTH, 1)
    assert 0 <= x.min() <= x.max() <= 1
    assert y.dtype == np.int32 and y.shape == (len(x), line_pictures.MOST) and y.max() == strips.OTHER
    counts = (y > 0).sum(axis=1)
    assert counts.min() >= 1 and counts.max() >= 6
    assert ((y > 0) == (np.arange(line_pictures.MOST) < counts[:, None])).all()  # zeros only follow
    ink = x.sum(axis=(1, 2, 3))
    assert np.corrcoef(ink, counts)[0, 1] > 0.5
    others = (y == strips.OTHER).any(axis=1).mean()
    assert 0.03 < others < 0.25


def test_the_same_seed_and_epoch_give_the_same_lines(lines, digits):
    again = line_pictures.LinePictures(*digits, seed=1, batches=3)
    other = line_pictures.LinePictures(*digits, seed=2, batches=3)
    np.testing.assert_array_equal(again[1][0], lines[1][0])
    assert not np.array_equal(other[1][1], lines[1][1]) and not np.array_equal(lines[0][1], lines[1][1])
    again.on_epoch_end()
    assert not np.array_equal(again[1][1], lines[1][1])
    again.begin(0)
    np.testing.assert_array_equal(again[1][1], lines[1][1])


def bars_of(strip):
    """First and last column, brightness, first and last row of each stretch of columns with ink."""
    inked = np.r_[False, (strip > 0.3).any(axis=0), False].astype(int)
    bars = []
    for begin, end in zip(np.flatnonzero(np.diff(inked) == 1), np.flatnonzero(np.diff(inked) == -1), strict=True):
        rows = np.flatnonzero((strip[:, begin:end] > 0.3).any(axis=1))
        bars.append((begin, end, strip[:, begin:end].max(), rows[0], rows[-1] + 1))
    return np.array(bars)


MEET = written_lines.meet
IMAGES = np.zeros((10, 28, 28), np.uint8)
for digit in range(10):
    IMAGES[digit, 4:24, 10 : 12 + digit] = 255  # a bar, the broader the larger the digit


@pytest.fixture
def make_lines(monkeypatch):
    """Lines of bars, so that a strip itself says which digits it shows, apart, level and not photographed."""
    monkeypatch.setattr(line_pictures, "photograph", lambda strip, rng: np.pad(strip, [(0, 0), (0, 160)])[8:40, :160])
    monkeypatch.setattr(line_pictures.augmentation, "augment", lambda digits, rng: digits / np.float32(255))
    monkeypatch.setattr(line_pictures.written_lines, "meet", lambda strip, _: strip.any(axis=0).nonzero()[0].max() + 6)
    monkeypatch.setattr(line_pictures, "DRAWN", 0)
    monkeypatch.setattr(line_pictures, "OTHER_LINES", 0)
    monkeypatch.setattr(line_pictures, "MARKS", 0)
    monkeypatch.setattr(line_pictures, "UNEVEN", (0,))
    return lambda batches=1: line_pictures.LinePictures(IMAGES, np.arange(10), seed=0, batches=batches)


def test_a_line_shows_the_digits_of_its_answers_in_their_order(make_lines):
    x, y = make_lines()[0]
    for strip, answers in zip(x[..., 0], y, strict=True):
        bars = bars_of(strip)
        np.testing.assert_array_equal(bars[:, 1] - bars[:, 0] - 2, answers[answers > 0] - 1)


def test_in_some_lines_digits_touch(make_lines, monkeypatch):
    lines = make_lines()
    monkeypatch.setattr(line_pictures.written_lines, "meet", MEET)
    x, y = lines[0]
    apart = [len(bars_of(strip)) == (answers > 0).sum() for strip, answers in zip(x[..., 0], y, strict=True)]
    assert 0.3 < np.mean(apart) < 0.95


def test_what_is_no_digit_has_an_answer_of_its_own_and_a_dash_none(make_lines, monkeypatch):
    monkeypatch.setattr(line_pictures, "OTHER_LINES", 0.3)
    monkeypatch.setattr(line_pictures, "MARKS", 0.7)
    lines = make_lines(batches=3)
    lines.others = np.zeros((1, 28, 28), np.uint8)
    lines.others[0, 4:24, 2:26] = 255  # broader than any digit
    with_dash = 0
    for x, y in map(lines.__getitem__, range(3)):
        for strip, answers in zip(x[..., 0], y, strict=True):
            bars = bars_of(strip)
            tall = bars[:, 4] - bars[:, 3] > 15
            wide, wanted = (bars[:, 1] - bars[:, 0])[tall], answers[answers > 0]
            np.testing.assert_array_equal(np.where(wide == 24, strips.OTHER, wide - 1), wanted)
            with_dash += not tall.all()
    assert 20 < with_dash < 80


def test_most_digits_are_bent_and_some_are_drawn(make_lines, monkeypatch):
    monkeypatch.setattr(line_pictures, "DRAWN", 0.3)
    lines = make_lines(batches=3)
    lines.drawn = IMAGES // 2
    monkeypatch.setattr(line_pictures.augmentation, "augment", lambda digits, rng: digits / np.float32(255) * 0.8)
    light = np.concatenate([bars_of(strip)[:, 2] for batch in range(3) for strip in lines[batch][0][..., 0]])
    assert 0.2 < (light < 0.6).mean() < 0.4  # drawn: half as bright here
    bent = np.abs(light[:, None] - (0.8, 0.4)).min(axis=1) < 0.01
    assert 0.6 < bent.mean() < 0.8


def test_in_some_lines_sizes_differ_and_the_feet_stay_near_the_line(make_lines, monkeypatch):
    monkeypatch.setattr(line_pictures, "UNEVEN", (0, 0.35))
    rows = [bars_of(strip)[:, 3:] for strip in make_lines()[0][0][..., 0]]
    rows = [line for line in rows if len(line) > 5]
    spread = np.array([np.std(feet - top) for top, feet in (line.T for line in rows)])
    assert 0.2 < (spread < 0.5).mean() < 0.8 and spread.max() > 3
    feet = np.concatenate([line[:, 1] for line in rows])
    assert np.ptp(feet) < 14 and np.std(feet) > 0.5


@pytest.mark.parametrize("wide", [90, 154])
def test_a_photo_keeps_all_of_a_line_wherever_it_lies(wide):
    strip = np.zeros((48, wide), np.float32)
    places = range(6, wide - 10, 16)
    for left in places:
        strip[16:36, left : left + 6] = 1
    firsts, counts, heights = [], [], []
    for seed in range(150):
        bars = bars_of(line_pictures.photograph(strip, np.random.default_rng(seed)) > 0.5)
        bars = bars[bars[:, 4] - bars[:, 3] > 8]  # but for specks and what is left of rulings
        firsts.append(bars[0, 0])
        counts.append(len(bars))
        heights.append(np.median(bars[:, 4] - bars[:, 3]))
    assert np.mean(np.equal(counts, len(places))) > 0.96  # a ruling that was left may join two
    assert min(firsts) < 15 and max(firsts) > (60 if wide < 100 else 15)
    assert 17 < np.median(heights) < 23


def test_in_some_photos_the_picture_ends_within_the_writing():
    bar = np.ones((48, 40), np.float32)
    ended = 0
    for seed in range(300):
        rows = line_pictures.photograph(bar, np.random.default_rng(seed)).max(axis=1) > 0.05
        ended += not (rows[:6].any() and rows[-6:].any())
    assert 3 < ended < 25


def test_some_lines_are_cut_out_of_photos_where_there_are_such(make_lines):
    found, answers = [], np.zeros((5, line_pictures.MOST), np.int32)
    for count in range(1, 6):
        found.append(np.zeros((32, 4 + 20 * count), np.uint8))
        found[-1][6:26].reshape(20, -1)[:, 4:] = np.tile(np.repeat([200, 0], (6, 14)), count)
        answers[count - 1, :count] = strips.OTHER  # which no other line has here
    lines = make_lines(batches=3)
    lines.from_photos = found, answers
    firsts, count = [], 0
    for x, y in map(lines.__getitem__, range(3)):
        for strip, wanted in zip(x[..., 0], y, strict=True):
            bars = bars_of(strip)
            assert len(bars) == (wanted > 0).sum()
            if strips.OTHER in wanted:
                firsts.append(bars[0, 0])
                heights = bars[:, 4] - bars[:, 3]
                assert 15 < heights.min() and heights.max() < 26 and 0.7 < bars[:, 2].max() < 0.8
                count += 1
            else:
                np.testing.assert_array_equal(bars[:, 1] - bars[:, 0] - 2, wanted[wanted > 0] - 1)
    assert 0.2 < count / (3 * len(x)) < 0.4
    assert min(firsts) < 20 and max(firsts) > 80


def test_accuracy_counts_whole_lines():
    y = np.zeros((4, line_pictures.MOST), np.int32)
    y[:, :3] = [4, 4, 9]
    said = ["-44--4-9", "-4-4--9-", "4-4-99--", "--------"]
    logits = np.zeros((4, 8, strips.ANSWERS), np.float32)
    for row, text in zip(logits, said, strict=True):
        for frame, answer in zip(row, text, strict=True):
            frame[0 if answer == "-" else int(answer)] = 9
    assert keras.ops.convert_to_numpy(line_training.accuracy(y, logits)).tolist() == [1, 1, 1, 0]


def test_the_network_learns_and_litert_reads_the_same(tmp_path):
    keras.utils.set_random_seed(0)
    model = line_training.build_line_network()
    assert model.count_params() == 520_900
    model.compile(keras.optimizers.Adam(0.003), keras.losses.CTC())
    strip = np.zeros((1, 32, 48, 1), np.float32)
    strip[0, 6:26, 10:13] = strip[0, 6:26, 30:33] = 1
    answer = np.array([[2, 2]], np.int32)
    first = model.train_on_batch(strip, answer)
    for _ in range(15):
        last = model.train_on_batch(strip, answer)
    assert last < 0.2 * first
    path = tmp_path / "lines.tflite"
    training.export_litert(model, path)
    lines = reader.LineReader(path)
    for wide in (48, 47, 333):
        raw = np.random.default_rng(wide).integers(0, 256, (32, wide), dtype=np.uint8)
        padded = np.pad(raw, [(0, 0), (0, -wide % 32)])[None, ..., None].astype(np.float32) / 255
        wanted = keras.ops.convert_to_numpy(keras.ops.softmax(model(padded, training=False)))[0, : -(-wide // 2)]
        np.testing.assert_allclose(lines.read(raw), wanted, atol=1e-5)


def test_the_command_trains_saves_and_goes_on(tmp_path, monkeypatch, capsys, digits):
    monkeypatch.setattr(line_training.mh, "load_mnist", lambda: (digits, digits))
    monkeypatch.setattr(line_training.mh, "split_train_validation", lambda images, labels: ((images, labels),) * 2)
    monkeypatch.setattr(line_training, "VALIDATION_BATCHES", 1)
    given = ["--epochs", "2", "--batches", "2", "--output-dir", str(tmp_path)]
    fit, epochs = keras.Model.fit, []

    def stopped_after_one(self, *arguments, **options):
        epochs.append(options["initial_epoch"])
        if len(epochs) == 1:
            fit(self, *arguments, **options | {"epochs": 1})
            raise KeyboardInterrupt
        return fit(self, *arguments, **options)

    monkeypatch.setattr(keras.Model, "fit", stopped_after_one)
    assert line_training.main(given) == 130
    assert line_training.main([*given[:3], "3", *given[4:], "--resume"]) == 2
    assert "as the training began" in capsys.readouterr().err
    assert line_training.main([*given, "--resume"]) == 0 and epochs == [0, 1]
    assert "Trained 2 epochs" in capsys.readouterr().out
    frames = reader.LineReader(tmp_path / paths.LINE_READER.name).read(np.zeros((32, 60), np.uint8))
    assert frames.shape == (30, strips.ANSWERS) and frames.sum(axis=1) == pytest.approx(np.ones(30))


def test_training_may_begin_with_a_network_and_take_lines_out_of_photos(tmp_path, monkeypatch, capsys, digits):
    monkeypatch.setattr(line_training.mh, "load_mnist", lambda: (digits, digits))
    monkeypatch.setattr(line_training.mh, "split_train_validation", lambda *both: (both, tuple(x[:50] for x in both)))
    monkeypatch.setattr(line_training, "VALIDATION_BATCHES", 1)
    photos, asked, began = ([np.full((32, 30), 255, np.uint8)], np.ones((1, 16), np.int32)), [], []

    def prepare(images, labels, path, *, pages, seed):
        asked.append((len(images), path.parent, path.name, pages))
        return photos

    def fit(self, lines, **options):
        began.append((self.get_weights(), lines.from_photos, float(self.optimizer.learning_rate)))
        raise KeyboardInterrupt

    monkeypatch.setattr(line_training.line_photos, "prepare", prepare)
    monkeypatch.setattr(keras.Model, "fit", fit)
    earlier = line_training.build_line_network()
    training.save_weights(earlier, tmp_path / "earlier.weights.h5")
    given = ["--batches", "2", "--output-dir", str(tmp_path / "out")]
    assert line_training.main(given) == 130
    assert line_training.main([*given, "--pages", "15", "--start", str(tmp_path / "earlier.weights.h5")]) == 130
    (before, none, fast), (after, some, slow) = began
    assert none == ((), ()) and some is photos
    assert slow == pytest.approx(fast / 3)
    same = [all(np.array_equal(*pair) for pair in zip(earlier.get_weights(), x, strict=True)) for x in (before, after)]
    assert same == [False, True]
    folder = tmp_path / "out"
    assert asked == [(300, folder, "strips_15_0.npz", 15), (50, folder, "validation_strips_2_0.npz", 2)]
    assert "15 simulated photos" in capsys.readouterr().out
    assert line_training.main([*given, "--start", str(tmp_path / "absent.weights.h5")]) == 2
    assert "absent.weights.h5" in capsys.readouterr().err
