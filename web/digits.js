// From a drawing to 28 x 28 pixels, the way MNIST was made: what mnist_course/pictures.py does with a drawing.
//
// It takes the paper for one grey; photographs, with their shadows and rulings, are read by test_model.py.
// A *map* is { values, width, height }: a Float32Array, row by row, in which paper is 0 and ink is 1.

import { TEXTS } from "./texts.js";

const WORKING_SIDE = 256;  // pixels on the longer side of the picture in which the ink is looked for
const THINNEST = 1.6, THICKEST = 4.5;  // stroke widths that need no change, in pixels of the 20 x 20 box

const newMap = (width, height) => ({ values: new Float32Array(width * height), width, height });
const clip = (value, low, high) => Math.min(Math.max(value, low), high);
const longerSide = ({ width, height }) => Math.max(width, height);
const largest = (values) => values.reduce((most, value) => Math.max(most, value), -Infinity);

/** A map of the same size, each value changed by `change(value, place)`. */
function mapOf({ values, width, height }, change) {
  const changed = newMap(width, height);
  for (let at = 0; at < values.length; at++) changed.values[at] = change(values[at], at);
  return changed;
}

/** Round to the nearest whole number, halves to the even one, as Python does. */
function round(value) {
  const down = Math.floor(value);
  return value - down === 0.5 ? down + (down % 2) : Math.round(value);
}

// ---------------------------------------------------------------- resizing, with Pillow's filters

const BOX = { reach: 0.5, weight: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) };
const HAMMING = {
  reach: 1,
  weight: (x) => (x === 0 ? 1 : Math.abs(x) >= 1 ? 0 : Math.sin(Math.PI * x) / (Math.PI * x) * (0.54 + 0.46 * Math.cos(Math.PI * x))),
};
const BICUBIC = {
  reach: 2,
  weight(x) {
    const far = Math.abs(x);
    if (far < 1) return (1.5 * far - 2.5) * far * far + 1;
    return far < 2 ? ((-0.5 * far + 2.5) * far - 4) * far + 2 : 0;
  },
};

/** For each of `to` pixels, which of the `from` pixels it is made of, and how much of each. */
function shares(from, to, filter) {
  const scale = from / to, stretch = Math.max(scale, 1);
  return Array.from({ length: to }, (_, pixel) => {
    const centre = (pixel + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - filter.reach * stretch + 0.5));
    const end = Math.min(from, Math.trunc(centre + filter.reach * stretch + 0.5));
    const weights = [];
    for (let i = first; i < end; i++) weights.push(filter.weight((i - centre + 0.5) / stretch));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return { first, weights: weights.map((weight) => weight / sum) };
  });
}

/** Scale a map to other sides. `finish` is done to each value after each of the two passes. */
function resize(map, width, height, filter, finish = (value) => value) {
  if (width !== map.width) {
    const columns = shares(map.width, width, filter), across = newMap(width, map.height);
    for (let y = 0; y < map.height; y++) {
      for (let x = 0; x < width; x++) {
        const { first, weights } = columns[x];
        let sum = 0;
        for (let i = 0; i < weights.length; i++) sum += weights[i] * map.values[y * map.width + first + i];
        across.values[y * width + x] = finish(sum);
      }
    }
    map = across;
  }
  if (height !== map.height) {
    const rows = shares(map.height, height, filter), down = newMap(width, height);
    for (let y = 0; y < height; y++) {
      const { first, weights } = rows[y];
      for (let x = 0; x < width; x++) {
        let sum = 0;
        for (let i = 0; i < weights.length; i++) sum += weights[i] * map.values[(first + i) * width + x];
        down.values[y * width + x] = finish(sum);
      }
    }
    map = down;
  }
  return map;
}

/** Scale so that the longer side has so many pixels. */
function scaleTo(map, side, filter, finish) {
  const scale = side / longerSide(map);
  return resize(map, Math.max(1, round(map.width * scale)), Math.max(1, round(map.height * scale)), filter, finish);
}

// ---------------------------------------------------------------- cutting, framing, growing

/** The part of a map in a box; what lies outside the map is 0. */
function cut(map, { left, top, right, bottom }) {
  const part = newMap(right - left, bottom - top);
  for (let y = Math.max(0, top); y < Math.min(bottom, map.height); y++) {
    for (let x = Math.max(0, left); x < Math.min(right, map.width); x++) {
      part.values[(y - top) * part.width + x - left] = map.values[y * map.width + x];
    }
  }
  return part;
}

/** The box of what is above `level`, or null. */
function boxOf({ values, width, height }, level = 0) {
  let left = width, top = height, right = 0, bottom = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (values[y * width + x] <= level) continue;
      left = Math.min(left, x), right = Math.max(right, x + 1), top = Math.min(top, y), bottom = y + 1;
    }
  }
  return right ? { left, top, right, bottom } : null;
}

const crop = (map) => cut(map, boxOf(map, 0.02) ?? { left: 0, top: 0, right: map.width, bottom: map.height });
const frame = (map, by) => cut(map, { left: -by, top: -by, right: map.width + by, bottom: map.height + by });

/** The largest value within `reach` columns to the left and right of each. */
function widen({ values, width, height }, reach) {
  for (let done = 0; done < reach;) {
    const step = Math.min(2 * done + 1, reach - done), wider = new Float32Array(values.length);
    for (let start = 0; start < values.length; start += width) {
      for (let x = 0; x < width; x++) {
        const left = values[start + Math.max(0, x - step)], right = values[start + Math.min(width - 1, x + step)];
        wider[start + x] = Math.max(left, values[start + x], right);
      }
    }
    values = wider;
    done += step;
  }
  return { values, width, height };
}

/** Widen what is bright by a disc of `radius` pixels; a negative radius narrows it. */
function grow(map, radius) {
  if (radius < 0) return mapOf(grow(mapOf(map, (value) => -value), -radius), (value) => -value);
  const { width, height } = map, grown = mapOf(map, () => -Infinity);
  for (let row = Math.trunc(radius); row >= 0; row--) {
    const { values } = widen(map, Math.trunc(Math.sqrt(radius ** 2 - row ** 2)));
    for (let y = 0; y < height; y++) {
      for (const from of [y - row, y + row]) {
        if (from < 0 || from >= height) continue;
        for (let x = 0; x < width; x++) {
          grown.values[y * width + x] = Math.max(grown.values[y * width + x], values[from * width + x]);
        }
      }
    }
  }
  return grown;
}

// ---------------------------------------------------------------- the ink of a drawing

/** How steep a map is at each pixel, 0 at its border. */
function slopes({ values, width, height }) {
  const steep = newMap(width, height);
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const at = y * width + x;
      const down = values[at + width] - values[at - width], right = values[at + 1] - values[at - 1];
      steep.values[at] = Math.sqrt(down * down + right * right) / 2;
    }
  }
  return steep;
}

/** The ink of a picture whose paper has the grey `paper`, so that the edge of a stroke is near 0.5. */
function inkOf(picture, paper) {
  const small = longerSide(picture) > WORKING_SIDE ? scaleTo(picture, WORKING_SIDE, BOX, (value) => Math.floor(value + 0.5)) : picture;
  let darker = 0;
  for (const grey of small.values) darker += (paper - grey) * (paper - grey) * (paper - grey);
  const strength = mapOf(small, (grey) => (darker >= 0 ? paper - grey : grey - paper) / 255);
  const steep = slopes(strength), { width } = strength;
  let sum = 0, weights = 0;
  for (let at = 0; at < strength.values.length; at++) {  // how strong ink is, where its edges are sharpest
    if (steep.values[at] === 0) continue;
    let low = Infinity, high = -Infinity;
    for (const row of [at - width, at, at + width]) {
      for (let near = row - 1; near <= row + 1; near++) {
        low = Math.min(low, strength.values[near]), high = Math.max(high, strength.values[near]);
      }
    }
    const weight = steep.values[at] * steep.values[at] * steep.values[at];
    sum += weight * (low + high), weights += weight;
  }
  const level = sum / Math.max(weights, 1e-12);
  if (level < 0.02) throw new Error(TEXTS.digits.noInk);
  return mapOf(strength, (value) => clip(value / level, 0, 1));
}

// ---------------------------------------------------------------- which ink is the digit

/** Number the connected pieces of what is above 0, diagonal neighbours included, from 1; returns a list of pieces. */
function findPieces({ values, width, height }) {
  const labels = new Int32Array(values.length), pieces = [];
  for (let start = 0; start < values.length; start++) {
    if (values[start] <= 0 || labels[start]) continue;
    const waiting = [start], piece = { left: width, top: height, right: 0, bottom: 0, pixels: [] };
    labels[start] = pieces.push(piece);
    while (waiting.length) {
      const at = waiting.pop(), x = at % width, y = (at - x) / width;
      piece.pixels.push(at);
      piece.left = Math.min(piece.left, x), piece.right = Math.max(piece.right, x + 1);
      piece.top = Math.min(piece.top, y), piece.bottom = Math.max(piece.bottom, y + 1);
      for (let row = Math.max(0, y - 1); row <= Math.min(height - 1, y + 1); row++) {
        for (let column = Math.max(0, x - 1); column <= Math.min(width - 1, x + 1); column++) {
          const near = row * width + column;
          if (values[near] > 0 && !labels[near]) labels[near] = labels[start], waiting.push(near);
        }
      }
    }
  }
  return pieces;
}

/** Keep the digit's part of an ink map; specks and what runs along the border are dropped. */
function chooseDigit(picture) {
  const box = boxOf(picture);
  if (!box) throw new Error(TEXTS.digits.noInk);
  const ink = cut(picture, box), { width, height } = ink, side = longerSide(picture);
  const maskOf = (pieces) => {
    const mask = newMap(width, height);
    for (const { pixels } of pieces) for (const at of pixels) mask.values[at] = 1;
    return mask;
  };
  const withRim = (pieces) => {  // with the grey rim of its strokes
    const near = grow(maskOf(pieces), 2).values;
    const digit = mapOf(ink, (value, at) => (near[at] > 0 ? value : 0));
    const { left, top } = box;  // back to where it was
    return cut(digit, { left: -left, top: -top, right: picture.width - left, bottom: picture.height - top });
  };
  const best = (pieces, worth) => pieces.reduce((most, piece) => (worth(piece) > worth(most) ? piece : most));
  const measure = (piece) => {
    piece.side = Math.max(piece.right - piece.left, piece.bottom - piece.top);
    piece.mass = piece.pixels.reduce((sum, at) => sum + ink.values[at], 0);
    return piece;
  };

  const pieces = findPieces(mapOf(ink, (value) => (value > 0.4 ? 1 : 0))).map(measure);
  if (!pieces.length) throw new Error(TEXTS.digits.noInk);
  const contact = ({ pixels }) => pixels.reduce((sum, at) => {
    const x = box.left + (at % width), y = box.top + Math.floor(at / width);
    return sum + (x === 0) + (x === picture.width - 1) + (y === 0) + (y === picture.height - 1);
  }, 0);
  let inside = pieces.filter((piece) => contact(piece) <= 0.15 * side);
  const longest = (some) => Math.max(0, ...some.map((piece) => piece.side));
  if (longest(inside) < Math.max(0.25 * longest(pieces), 0.1 * side)) inside = pieces;  // the digit touches the border
  const leading = best(inside, (piece) => piece.mass * piece.side).side;
  const heaviest = Math.max(...inside.map((piece) => piece.mass));
  const good = inside.filter((piece) => piece.side >= 0.08 * leading && piece.mass >= 0.01 * heaviest);
  if (good.length === 1) return withRim(good);

  const groupAt = new Int32Array(width * height);
  const joined = findPieces(grow(maskOf(good), Math.max(1, 0.07 * leading)));  // bridges the gaps of a broken stroke
  joined.forEach(({ pixels }, group) => pixels.forEach((at) => { groupAt[at] = group; }));
  const groups = joined.map((_, group) => {
    const members = good.filter(({ pixels }) => groupAt[pixels[0]] === group);
    const edges = (name) => members.map((piece) => piece[name]);
    return measure({
      left: Math.min(...edges("left")), top: Math.min(...edges("top")),
      right: Math.max(...edges("right")), bottom: Math.max(...edges("bottom")), pixels: edges("pixels").flat(),
    });
  });
  const main = best(groups, (group) => group.mass * group.side);
  const several = groups.filter((group) => group.side >= 0.6 * main.side && group.mass >= 0.25 * main.mass).length;
  if (several > 1) throw new Error(TEXTS.digits.several(several));
  const near = grow(maskOf([main]), Math.max(1, 0.2 * leading)).values;
  const strokes = groups.filter((group) => group.side >= 0.25 * main.side && group.pixels.some((at) => near[at] > 0));
  return withRim(strokes);
}

// ---------------------------------------------------------------- as MNIST was made

/** The mean width of the strokes in pixels: twice the ink's area over the length of its outline. */
function strokeWidth(ink) {
  const { values, width, height } = frame(ink, 1);
  let area = 0, outline = 0;
  for (let y = 1; y < height; y++) {
    for (let x = 1; x < width; x++) {
      const value = values[y * width + x];
      area += value;
      const down = value - values[(y - 1) * width + x], right = value - values[y * width + x - 1];
      outline += Math.sqrt(down * down + right * right);
    }
  }
  return (2 * area) / Math.max(outline, 1e-12);
}

/** Redraw strokes thinner or thicker than nearly all in MNIST at that limit. */
function setStrokeWidth(ink) {
  const width = (strokeWidth(ink) * 20) / longerSide(ink);
  if (THINNEST <= width && width <= THICKEST) return ink;
  const large = scaleTo(frame(ink, 1), 200, HAMMING), middle = 0.5 * largest(large.values);
  const sharp = crop(mapOf(large, (value) => clip(0.5 + 4 * (value - middle), 0, 1)));
  const wanted = clip(width, THINNEST, THICKEST) / 20;  // of the longer side, which grows with the strokes
  const radius = (wanted * longerSide(sharp) - strokeWidth(sharp)) / (2 * (1 - wanted));
  return crop(grow(frame(sharp, Math.trunc(Math.abs(radius)) + 1), radius));
}

/** Scale to fit 20 x 20, the aspect kept. */
function fitToBox(ink) {
  const gain = clip(longerSide(ink) / 40, 1, 3);  // the edges of MNIST's strokes are one pixel wide
  const sharp = crop(mapOf(ink, (value) => clip(0.5 + gain * (value - 0.5), 0, 1)));
  return longerSide(sharp) === 20 ? sharp : crop(scaleTo(sharp, 20, HAMMING));
}

/** Place ink of at most 20 x 20 on 28 x 28 with its centre of mass in the middle; brightest 255. */
function centreByMass({ values, width, height }) {
  let mass = 0, sumX = 0, sumY = 0;
  values.forEach((value, at) => {
    mass += value, sumX += value * (at % width), sumY += value * Math.floor(at / width);
  });
  const left = clip(Math.floor(14.5 - sumX / mass), 0, 28 - width), top = clip(Math.floor(14.5 - sumY / mass), 0, 28 - height);
  const most = largest(values), result = new Uint8Array(784);
  values.forEach((value, at) => {
    result[(top + Math.floor(at / width)) * 28 + left + (at % width)] = round((255 * value) / most);
  });
  return result;
}

/** Whether a picture is as MNIST was made: its ink 20 pixels long, centred by mass, on pure black. */
function isMnist(picture) {
  if (picture.width !== 28 || picture.height !== 28 || !boxOf(picture)) return false;
  const ink = crop(picture);
  if (longerSide(ink) !== 20) return false;
  return centreByMass(ink).every((value, at) => Math.abs(value - picture.values[at]) <= 1);
}

/** The grey of the paper: the median of the picture's border. */
function paperOf({ values, width, height }) {
  const border = [...values.subarray(0, width), ...values.subarray(width * (height - 1))];
  for (let y = 1; y < height - 1; y++) border.push(values[y * width], values[(y + 1) * width - 1]);
  return border.sort((one, other) => one - other)[border.length >> 1];
}

/**
 * Return the digit of a drawing as MNIST would show it: Uint8Array(784), row by row, 0 paper to 255 ink.
 *
 * `grey` holds width x height greys from 0 to 255, row by row; the ink may be darker or lighter than the paper, which
 * is what most of the border shows. Throws an Error of one sentence for no ink or several digits.
 */
export function toMnist(grey, width, height) {
  const picture = { values: new Float32Array(grey), width, height };
  if (isMnist(picture)) return Uint8Array.from(grey);
  const paper = paperOf(picture);
  let digit = chooseDigit(inkOf(picture, paper));
  const { left, top, right, bottom } = boxOf(digit), side = Math.max(right - left, bottom - top);
  const scale = longerSide(picture) / longerSide(digit);
  if (side < 64 && scale > 1) {  // small in its picture: look again, closer, where it was found
    const inMap = (place, limit) => Math.trunc(clip(place, 0, limit));
    const box = {
      left: inMap(left - 0.3 * side, digit.width), top: inMap(top - 0.3 * side, digit.height),
      right: inMap(right + 0.3 * side, digit.width), bottom: inMap(bottom + 0.3 * side, digit.height),
    };
    const inPicture = Object.fromEntries(Object.entries(box).map(([edge, place]) => [edge, round(place * scale)]));
    const closer = inkOf(cut(picture, inPicture), paper);
    const area = resize(cut(grow(digit, 0.06 * side), box), closer.width, closer.height, BICUBIC).values;
    digit = chooseDigit(mapOf(closer, (value, at) => (area[at] > 0.2 ? value : 0)));
  }
  return centreByMass(fitToBox(setStrokeWidth(crop(digit))));
}
