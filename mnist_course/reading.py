"""Reads picture files and says what is in each, as text or JSON, one after the other or with every core."""

import json
import os
import signal
import time
from collections import deque
from contextlib import contextmanager, suppress
from typing import NamedTuple

from mnist_course import pages, pictures, reader

_WORTH_SHARING = 2.0  # seconds left to read: other processes take half a second to start
_FEWEST_TO_SHARE = 4
_PORTION, _MOST_AT_ONCE = 0.1, 64  # what a process is given at once: so many seconds of work, so many pictures
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")  # of NumPy


class Answer(NamedTuple):
    """What to print of a picture; `error` is "" where it was read, and `text` where a refusal is only to be told."""

    text: str
    error: str = ""
    doubtful: bool = False  # whether there is a mark in `text`


# ---------------------------------------------------------------- one picture


def read_page(picture, network, *, line_network=None, one=False):
    """Return the `pages.Page` of a PIL image; with `one` it is taken for one digit. Raises ValueError for nothing."""
    if not one:
        return pages.read_page(picture, network, line_network)
    image = pictures.to_mnist(picture)
    probabilities = network.read(image[None])[0]
    best = int(probabilities.argmax())
    digit = pages.Digit(best, float(probabilities[best]), probabilities, None, None, image)
    return pages.Page([[digit]], 0)


def only_digit(page):
    """Return the digit of a page that has just one, else None."""
    return page.lines[0][0] if [len(line) for line in page.lines] == [1] else None


def read_file(path, network, *, as_json=False, **how):
    """Return the `Answer` for the picture at `path`, read by a `Reader`; `how` as for `read_page`."""
    try:
        picture = pictures.load_picture(path)
        page = read_page(picture, network, **how)
    except (ValueError, OSError) as error:
        return refuse(path, error, as_json=as_json)
    return describe(path, page, picture.info["scale"], as_json=as_json)


def refuse(path, error, *, as_json=False):
    """Return the `Answer` for a picture that cannot be read because of `error`, an exception or a sentence."""
    message = str(error) if str(path) in str(error) else f"{path}: {error}"
    return Answer(json.dumps({"path": str(path), "error": message}) if as_json else "", message)


def describe(path, page, scale=1, *, as_json=False):
    """Return the `Answer` for a page that was read; its boxes are multiplied by `scale` for JSON."""
    if as_json:
        return Answer(json.dumps(_as_dict(path, page, scale)))
    turned = f", read turned by {page.turned} degrees" if page.turned else ""
    if digit := only_digit(page):
        first, second = (int(place) for place in digit.probabilities.argsort()[::-1][:2])
        shares = digit.probabilities[first], digit.probabilities[second]
        found = f"{path}: {first} ({shares[0]:.1%}), then {second} ({shares[1]:.1%}){turned}"
        return Answer(f"{found}\n{_preview(digit.image)}")
    count = sum(map(len, page.lines))
    lines = "1 line" if len(page.lines) == 1 else f"{len(page.lines)} lines"
    texts = [_marked(line) for line in page.lines]
    rows = [f"{path}: {lines}, {count} digits{turned}"]
    for text, line in zip(texts, page.lines, strict=True):
        lowest = min(digit.probability for digit in line)
        rows.append(f"    {text:{max(map(len, texts))}}   lowest confidence {lowest:.0%}")
    return Answer("\n".join(rows), doubtful=any("?" in text for text in texts))


def _marked(line):
    return "".join(f"{digit.digit}{'?' * (digit.probability < pages.DOUBTFUL)}" for digit in line)


def _as_dict(path, page, scale):
    result, digit = {"path": str(path)}, only_digit(page)
    if digit:
        rounded = [round(float(probability), 4) for probability in digit.probabilities]
        result |= {"digit": digit.digit, "probability": rounded[digit.digit], "probabilities": rounded}
        if digit.box is None:
            return result
    lines = page.texts()
    places = [_place(number, digit, scale) for number, line in enumerate(page.lines) for digit in line]
    result |= {"text": "\n".join(lines), "lines": lines, "digits": places}
    return result | ({"turned": page.turned} if page.turned else {})


def _place(line, digit, scale):
    box = [round(float(side) * scale, 1) for side in digit.box]
    result = {"line": line, "digit": digit.digit, "probability": round(float(digit.probability), 4), "box": box}
    if digit.quadrilateral is not None:
        result["quadrilateral"] = [[round(float(part) * scale, 1) for part in point] for point in digit.quadrilateral]
    return result


def _preview(image):
    """The 28 x 28 image as 14 lines of text, two rows of pixels a line."""
    shades = " .:-=+*#%@"
    pairs = image.reshape(14, 2, 28).mean(axis=1)
    return "\n".join("    " + "".join(shades[int(value * 9 / 255 + 0.5)] for value in row).rstrip() for row in pairs)


# ---------------------------------------------------------------- many pictures


def read_files(files, network, *, processes=None, **how):
    """Yield an `Answer` for each of `files`, in their order, read by a `Reader`; `how` as for `read_file`.

    So many processes share the work; without a number, one a core does as soon as it is seen to save time. Close what
    is returned, with `contextlib.closing`, to end the processes.
    """
    files, begin, done, shared = list(files), time.perf_counter(), 0, processes
    while done < len(files) and (shared or 1) == 1:
        yield read_file(files[done], network, **how)
        done += 1
        left = len(files) - done
        if processes is None and left >= _FEWEST_TO_SHARE:
            if (time.perf_counter() - begin) / done * left > _WORTH_SHARING:
                shared = cores()
    if files[done:]:
        sharing = share(_prepare, (network.path, how), files[done:], shared)
        for path, answer in zip(files[done:], sharing, strict=True):
            yield refuse(path, answer, as_json=how.get("as_json")) if isinstance(answer, Lost) else answer


def _prepare(network, how):
    """Load the network at a path; return a function that reads the picture at another path as `read_file` does."""
    loaded = reader.Reader(network)
    return lambda path: read_file(path, loaded, **how)


def cores():
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Lost(NamedTuple):
    """What `share` yields for an item whose process ended while it worked on it."""

    exit_code: int

    def __str__(self):
        return f"the process that read it ended (exit code {self.exit_code}): save a smaller copy, or leave it out."


class _Worker:
    """A process that calls `prepare(*arguments)` once, then what that returned with each item of a list it is sent."""

    def __init__(self, prepare, arguments):
        import multiprocessing  # here, because most calls read one picture

        context = multiprocessing.get_context("spawn")  # on every system: LiteRT's threads do not survive a fork
        self.given, self.most, self.begin = [], 1, 0.0  # (place, item) in work, how many at once, since when
        self.connection, other_end = context.Pipe()
        self.process = context.Process(target=_work, args=(other_end, prepare, arguments), daemon=True)
        with _as_processes_begin():
            self.process.start()
        other_end.close()

    def give(self, alone, waiting):
        self.given = [alone.popleft()] if alone else [waiting.popleft() for _ in range(min(self.most, len(waiting)))]
        self.begin = time.perf_counter()
        if self.given:
            with suppress(OSError):  # it has ended, as `take` will find
                self.connection.send([item for _, item in self.given])

    def take(self):
        """Return the results, a list, or None when the process has ended; learn how many to give at once."""
        try:
            results = self.connection.recv()
        except (EOFError, OSError):
            self.process.join()
            return None
        pace = len(results) / max(time.perf_counter() - self.begin, 1e-6)
        self.most = min(max(1, int(_PORTION * pace)), _MOST_AT_ONCE)
        return results

    def end(self):
        self.process.kill()
        self.process.join()
        self.connection.close()


def share(prepare, arguments, items, processes):
    """Yield what `prepare(*arguments)` returns, called with each of `items`, in their order, computed by processes.

    They are held to one thread and end with the generator. For an item whose process ends, a `Lost` is yielded, and
    another process goes on.
    """
    from multiprocessing.connection import wait

    waiting, alone, answers, shown, workers = deque(enumerate(items)), deque(), {}, 0, []
    count = len(waiting)
    try:
        for _ in range(min(processes, count)):
            workers.append(_Worker(prepare, arguments))
            workers[-1].give(alone, waiting)
        while shown < count:
            ready = wait([worker.connection for worker in workers if worker.given])
            for number, worker in enumerate(workers):
                if worker.connection not in ready:
                    continue
                results, given = worker.take(), worker.given
                if results is None and len(given) == 1:
                    results = [Lost(worker.process.exitcode)]
                elif results is None:
                    alone.extend(given)  # to see which of them it was
                answers.update(zip([place for place, _ in given], results or [], strict=False))
                if worker.process.exitcode is not None and (alone or waiting):
                    worker.end()
                    worker = workers[number] = _Worker(prepare, arguments)
                worker.give(alone, waiting)
            while shown in answers:
                yield answers.pop(shown)
                shown += 1
    finally:
        for worker in workers:
            worker.end()


@contextmanager
def _as_processes_begin():
    """What a process inherits at its start: one thread for NumPy, and that Ctrl-C is its parent's affair."""
    before = {name: os.environ.get(name) for name in _THREADS}
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        signal.signal(signal.SIGINT, handler)


def _work(connection, prepare, arguments):
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Windows does not inherit it
    call = prepare(*arguments)
    try:
        while True:
            connection.send([call(item) for item in connection.recv()])
    except (EOFError, OSError):  # the parent has ended
        pass
