"""Reads all numbers on a page: lines of digits, each with the network's probability and its place in the picture."""

from typing import NamedTuple

import numpy as np

from mnist_course import divisions, pictures
from mnist_course.ink import ink_steps, page_ink

_DIGIT = 40  # pixels that a digit is tall in the ink map, where the picture has that many


class Digit(NamedTuple):
    digit: int
    probability: float
    box: tuple


class Page(NamedTuple):
    lines: list
    turned: int
    score: float


def last_of(steps):
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def read_page(image, network):
    image = pictures._shrink(image)
    sheet, ink = image, None
    ink = height = None
    if max(image.size) >= 256:
        try:
            ink = page_ink(image, 800)
            height = digit_height(ink, 0.15)
        except ValueError:
            pass
    if height is None or height > 0.1 * max(ink.shape):
        sheet, ink = last_of(ink_steps(image, ""))
        height = digit_height(ink)
        side = int(np.clip(max(ink.shape) * _DIGIT / height, 256, 1400))
        if side > 1.2 * max(ink.shape) and max(sheet.size) > max(ink.shape):
            _, ink = last_of(ink_steps(sheet, "closer: ", side))
    elif not 28 <= height <= 80:
        ink = page_ink(image, int(max(ink.shape) * min(40 / height, 2.5)))
    results = [read_ink(ink, network)]
    return results[0]


def digit_height(ink, most=1):
    pieces = divisions.find_pieces(ink)
    if not len(pieces.boxes):
        raise ValueError("found no ink.")
    return divisions.digit_height(pieces, most)


def read_ink(ink, network):
    pieces = divisions.find_pieces(ink)
    height = divisions.digit_height(pieces, 1 if max(ink.shape)<=256 else 0.15)
    lines = [divisions.divide(line, pieces, ink, height) for line in divisions.find_lines(pieces, height)]
    images = [normalise(line, candidate, ink) for line in lines for candidate in line.candidates]
    if not images:
        raise ValueError("found no digits.")
    probabilities = network.read(np.stack(images))
    result, start, score = [], 0, 0.0
    for line in lines:
        p = probabilities[start : start + len(line.candidates)]
        start += len(line.candidates)
        prices = np.array([candidate.price() for candidate in line.candidates])
        costs = prices - np.log(p.max(axis=1).clip(1e-3))
        chosen, cost = divisions.best_path(len(line.skip), line.skip, line.candidates, costs)
        digits = [Digit(int(p[n].argmax()), float(p[n].max()), line.candidates[n].box) for n in chosen]
        if digits:
            result.append(digits)
            score += cost
    return Page(result, 0, score)


def normalise(line, candidate, ink):
    top, bottom, left, right = candidate.box
    row, column = top - line.corner[0], left - line.corner[1]
    atoms = line.atoms[row : row + bottom - top, column : column + right - left]
    mask = (atoms > candidate.first) & (atoms <= candidate.last)
    part = np.where(mask, ink[top:bottom, left:right], 0)
    try:
        return pictures.centre_by_mass(pictures.fit_to_box(pictures.set_stroke_width(pictures.crop(part))))
    except IndexError:
        return np.zeros((28, 28), np.uint8)
