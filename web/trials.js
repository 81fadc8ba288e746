// Two ways to make the network err: a square that covers a part of the digit, and sliders that move, turn and thicken it.

import { CIVIDIS, GREYS, paintValues } from "./colours.js";

const SIDE = 28, SQUARE = 5, PLACES = SIDE - SQUARE + 1;  // the square has PLACES x PLACES places, as in lesson 7
const PATIENCE = 24;  // milliseconds of a frame that are spent on readings
const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

/** Which digit is the most probable, and how probable it is. */
export function best(probabilities) {
  const probability = Math.max(...probabilities);
  return { digit: probabilities.indexOf(probability), probability };
}

// ---------------------------------------------------------------- what is done to the 784 pixels

/** Lay empty paper over SQUARE x SQUARE pixels, the first of which is at (row, column). */
function cover(pixels, row, column) {
  const covered = pixels.slice();
  for (let y = row; y < row + SQUARE; y++) covered.fill(0, y * SIDE + column, y * SIDE + column + SQUARE);
  return covered;
}

/** Take each pixel from where `from(x, y)` says, measured from the middle; between pixels they are mixed. */
function resample(pixels, from) {
  const middle = (SIDE - 1) / 2, at = (x, y) => (x >= 0 && y >= 0 && x < SIDE && y < SIDE ? pixels[y * SIDE + x] : 0);
  return Float32Array.from(pixels, (_, place) => {
    const [x, y] = from((place % SIDE) - middle, Math.floor(place / SIDE) - middle).map((offset) => offset + middle);
    const left = Math.floor(x), top = Math.floor(y), right = x - left, down = y - top;
    return (1 - down) * ((1 - right) * at(left, top) + right * at(left + 1, top))
      + down * ((1 - right) * at(left, top + 1) + right * at(left + 1, top + 1));
  });
}

const move = (pixels, by) => resample(pixels, (x, y) => [x - by, y]);

function turn(pixels, degrees) {
  const cos = Math.cos(degrees * Math.PI / 180), sin = Math.sin(degrees * Math.PI / 180);
  return resample(pixels, (x, y) => [cos * x + sin * y, cos * y - sin * x]);
}

/** Let ink spread to pixels up to `radius` away, or paper when it is negative. */
function thicken(pixels, radius) {
  if (radius < 0) return thicken(pixels.map((value) => 1 - value), -radius).map((value) => 1 - value);
  const reach = Math.ceil(radius), spread = pixels.slice();
  for (let down = -reach; down <= reach; down++) {
    for (let right = -reach; right <= reach; right++) {
      const share = Math.min(1, radius + 1 - Math.hypot(down, right));
      if (share <= 0) continue;
      for (let y = Math.max(0, -down); y < Math.min(SIDE, SIDE - down); y++) {
        for (let x = Math.max(0, -right); x < Math.min(SIDE, SIDE - right); x++) {
          const to = (y + down) * SIDE + x + right;
          spread[to] = Math.max(spread[to], share * pixels[y * SIDE + x]);
        }
      }
    }
  }
  return spread;
}

const CHANGES = {
  move: { change: move, least: -14, most: 14, step: 1 },
  turn: { change: turn, least: -180, most: 180, step: 5 },
  thicken: { change: thicken, least: -1.5, most: 3, step: 0.25 },
};

// ---------------------------------------------------------------- a part is covered

/** Let a square be moved over the digit, and draw the map of what each of its places does; `show` takes a new digit. */
export function createCover(element, { texts }) {
  element.innerHTML = `
    <h3>${texts.title}</h3><p>${texts.about}</p>
    <div class="pictures">
      <figure><div class="picture" tabindex="0" role="application" aria-label="${texts.label}" aria-description="${texts.keys}">
        <canvas></canvas><span class="patch"></span></div><figcaption></figcaption></figure>
      <figure hidden><div class="picture"><canvas role="img"></canvas><span class="patch"></span></div>
        <figcaption><span>0 %</span><canvas class="scale" aria-hidden="true"></canvas><span>100 %</span></figcaption></figure>
    </div>
    <button type="button">${texts.everywhere}</button>
    <p class="verdict" role="status"></p>`;
  const [area, mapArea] = element.querySelectorAll(".picture"), [here, map] = element.querySelectorAll(".picture canvas");
  const patches = element.querySelectorAll(".patch"), caption = element.querySelector("figcaption");
  const button = element.querySelector("button"), verdict = element.querySelector(".verdict"), result = mapArea.parentElement;
  let pixels, network, place = [11, 11], frame;
  element.inert = true;  // until there is a digit
  paintValues(element.querySelector(".scale"), Array.from({ length: 256 }, (_, number) => number / 255), 256, CIVIDIS);

  function put(row, column, { aloud = true } = {}) {
    place = [row, column].map((value) => Math.min(PLACES - 1, Math.max(0, value)));
    for (const { style } of patches) {
      Object.assign(style, { top: `${100 * place[0] / SIDE}%`, left: `${100 * place[1] / SIDE}%` });
    }
    const { digit, probability } = best(network.read(cover(pixels, ...place)).probabilities);
    caption.setAttribute("aria-live", aloud ? "polite" : "off");
    caption.textContent = texts.covered(digit, probability);
  }

  for (const picture of [area, mapArea]) {
    const putAt = (event) => {
      const box = picture.getBoundingClientRect(), middle = (SQUARE - 1) / 2;
      put(...[(event.clientY - box.top) / box.height, (event.clientX - box.left) / box.width].map((share) => Math.floor(share * SIDE) - middle));
    };
    picture.onpointerdown = (event) => {
      if (!event.isPrimary || event.button !== 0) return;
      picture.setPointerCapture(event.pointerId);
      putAt(event);
    };
    picture.onpointermove = (event) => { if (picture.hasPointerCapture(event.pointerId)) putAt(event); };
  }
  area.onkeydown = (event) => {
    const step = STEPS[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    put(place[0] + step[0], place[1] + step[1]);
  };

  button.onclick = () => {
    const { digit } = best(network.read(pixels).probabilities), left = Array(SIDE * SIDE).fill(undefined);
    let number = 0, worst = { probability: 2 };
    button.disabled = true;
    result.hidden = false;
    verdict.textContent = "";
    (function goOn() {
      for (const start = performance.now(); number < PLACES ** 2 && performance.now() - start < PATIENCE; number++) {
        const row = Math.floor(number / PLACES), column = number % PLACES;
        const probabilities = network.read(cover(pixels, row, column)).probabilities, probability = probabilities[digit];
        left[(row + 2) * SIDE + column + 2] = probability;  // in the middle of the square
        if (probability < worst.probability) worst = { row, column, probability, now: best(probabilities) };
      }
      paintValues(map, left, SIDE, CIVIDIS);
      if (number < PLACES ** 2) return void (frame = requestAnimationFrame(goOn));
      button.disabled = false;
      put(worst.row, worst.column, { aloud: false });
      verdict.textContent = texts.worst(digit, worst);
      map.setAttribute("aria-label", `${texts.map(digit)} ${verdict.textContent}`);
    })();
  };

  return {
    show(newPixels, newNetwork) {
      cancelAnimationFrame(frame);
      [pixels, network] = [newPixels, newNetwork];
      element.inert = false;
      button.disabled = false;
      result.hidden = true;
      verdict.textContent = "";
      paintValues(here, pixels, SIDE, GREYS);
      put(...place, { aloud: false });
    },
  };
}

// ---------------------------------------------------------------- the digit is changed

/** Ask how much the digit can be moved, turned or thickened, then give the verdict and a slider; `show` takes a new digit. */
export function createChanges(element, { texts }) {
  element.innerHTML = `
    <h3>${texts.title}</h3><p>${texts.about}</p>
    <fieldset class="choice"><legend class="unseen">${texts.which}</legend>${Object.keys(CHANGES).map((kind) =>
      `<label><input type="radio" name="change" value="${kind}">${texts.kinds[kind].name}</label>`).join("")}</fieldset>
    <form novalidate><label><span></span> <input type="number" min="0" required></label> <span class="unit"></span>
      <button>${texts.compare}</button></form>
    <p class="verdict" role="status"></p>
    <div class="pictures"><figure><div class="picture"><canvas role="img"></canvas></div><figcaption></figcaption></figure>
      <label class="slide"><span></span><input type="range"></label></div>`;
  const radios = element.querySelectorAll("[type=radio]"), form = element.querySelector("form");
  const guess = element.querySelector("[type=number]"), slider = element.querySelector("[type=range]");
  const canvas = element.querySelector("canvas"), caption = element.querySelector("figcaption");
  const verdict = element.querySelector(".verdict"), slideName = element.querySelector(".slide span");
  let kind = "move", pixels, network;
  element.inert = true;  // until there is a digit

  const readChanged = (value) => best(network.read(CHANGES[kind].change(pixels, value)).probabilities);

  function slide() {
    const value = slider.valueAsNumber, changed = CHANGES[kind].change(pixels, value);
    paintValues(canvas, changed, SIDE, GREYS);
    const { digit, probability } = best(network.read(changed).probabilities);
    slideName.textContent = value ? texts.kinds[kind].by(value) : texts.unchanged;
    slider.setAttribute("aria-valuetext", `${slideName.textContent}: ${texts.reads(digit, probability)}`);
    caption.textContent = texts.reads(digit, probability);
    canvas.setAttribute("aria-label", caption.textContent);
  }

  function begin() {
    const { least, most, step } = CHANGES[kind];
    Object.assign(slider, { min: least, max: most, step, value: 0, disabled: true });
    Object.assign(guess, { max: most, step: "any", value: "" });
    form.querySelector("label span").textContent = texts.kinds[kind].question;
    form.querySelector(".unit").textContent = texts.kinds[kind].unit;
    verdict.textContent = "";
    slide();
  }

  form.onsubmit = (event) => {
    event.preventDefault();
    if (!guess.validity.valid) {
      verdict.textContent = texts.noGuess(CHANGES[kind].most);
      return guess.focus();
    }
    const { most, step } = CHANGES[kind], { digit } = readChanged(0);
    let value = step;
    while (value <= most && readChanged(value).digit === digit) value += step;
    const { by } = texts.kinds[kind], kept = value - step, guessed = guess.valueAsNumber;
    verdict.textContent = value > most ? texts.never(guessed, digit, by(most))
      : texts.found(guessed, digit, kept && by(kept), by(value), readChanged(value), guessed - kept);
    slider.disabled = false;
    slider.value = Math.min(value, most);
    slide();
  };
  slider.oninput = slide;
  radios.forEach((radio) => {
    radio.checked = radio.value === kind;
    radio.onchange = () => { kind = radio.value; begin(); };
  });

  return {
    show(newPixels, newNetwork) {
      [pixels, network] = [newPixels, newNetwork];
      element.inert = false;
      begin();
    },
  };
}
