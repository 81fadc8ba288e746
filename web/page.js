// The page: a digit is drawn, chosen or dropped, read at once, and its way through the network shown.

import { GREYS, paintValues } from "./colours.js";
import { toMnist } from "./digits.js";
import { createExplorer } from "./explorer.js";
import { createNetwork, decodeWeights } from "./network.js";
import { createBars, createPad } from "./pad.js";
import { openPicture } from "./pictures.js";
import { TEXTS } from "./texts.js";
import { best, createChanges, createCover } from "./trials.js";

const REST = 500;  // milliseconds without the pen before the reading is spoken and the trials take the digit
const WALK = 200;  // milliseconds between two pictures of the walk while one draws: the reading itself is quicker
const texts = TEXTS.page, at = (id) => document.getElementById(id);
const dataOf = (id) => JSON.parse(at(id).textContent);

document.title = texts.title;
for (const element of document.querySelectorAll("[data-text]")) element.textContent = texts[element.dataset.text];
for (const element of document.querySelectorAll("[data-label]")) element.setAttribute("aria-label", texts[element.dataset.label]);

// ---------------------------------------------------------------- the networks and the sample digits

const packed = dataOf("weights"), networks = {};
let network;

function useNetwork(name) {
  networks[name] ??= createNetwork(decodeWeights(packed[name].text, packed[name]));
  network = networks[name];
  at("about-network").textContent = texts.networks[name];
}

const bytesOf = (base64) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));

/** Unpack the sample digits, each when it is wanted; returns { all: a list of { number, label, misread }, pixelsOf(sample) }. */
async function unpackSamples({ png, labels, misread }) {
  const bytes = bytesOf(png.split(",")[1]);
  const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" })), columns = bitmap.width / 28;
  const ink = new OffscreenCanvas(28, 28).getContext("2d", { willReadFrequently: true });
  return {
    all: labels.map((label, number) => ({ number, label, misread: misread[number] })),
    pixelsOf({ number }) {
      ink.drawImage(bitmap, -28 * (number % columns), -28 * Math.floor(number / columns));
      const { data } = ink.getImageData(0, 0, 28, 28);
      return Float32Array.from({ length: 784 }, (_, place) => data[4 * place] / 255);
    },
  };
}

// ---------------------------------------------------------------- reading

let digit = { pixels: new Float32Array(784), problem: texts.invitation };  // or its label, when one is known
let settled, resting, drawn, walking, walk;
let explorer, cover, changes;  // built when the first reading has been painted

/** Read `newDigit`; when the pen rests, what was read is also spoken, and the trials take it. */
function see(newDigit, { rest }) {
  digit = newDigit;
  const { pixels, problem, label } = digit, activations = network.read(pixels);
  const reading = best(activations.probabilities);
  bars.show(problem ? [] : activations.probabilities);
  at("digit").textContent = problem ? "" : reading.digit;
  at("sentence").textContent = problem ?? texts.reads(reading.digit, reading.probability);
  const notes = label === undefined ? [] : [reading.digit === label ? texts.right(label) : texts.wrong(label)];
  at("note").textContent = [...notes, ...(explorer?.isEdited() ? [texts.edited] : [])].join(" ");
  paintValues(at("seen"), pixels, 28, GREYS);
  at("seen").setAttribute("aria-label", texts.seenAs(problem ? undefined : reading.digit));
  walk = () => {
    clearTimeout(walking);
    walking = undefined;
    explorer?.show(pixels, activations);
  };
  if (rest) walk();
  else walking ??= setTimeout(() => walk(), WALK);  // the newest one then
  clearTimeout(resting);
  if (!rest) return;
  resting = setTimeout(() => {
    if (settled !== pixels) for (const trial of [cover, changes]) trial?.show(pixels, network);
    settled = pixels;
    speak();
  }, REST);
}

function speak() {
  const words = `${at("sentence").textContent} ${at("note").textContent}`.trim();
  if (at("spoken").textContent !== words) at("spoken").textContent = words;
}

/** See it again with other weights. */
function seeAgain() {
  settled = undefined;
  see(digit, { rest: true });
}

function seePad({ rest = false } = {}) {
  cancelAnimationFrame(drawn);
  drawn = undefined;
  if (pad.isWhite()) return see({ pixels: new Float32Array(784), problem: texts.invitation }, { rest });
  const { width, height } = pad.canvas, colours = pad.canvas.getContext("2d").getImageData(0, 0, width, height).data;
  see(prepare({ grey: Uint8Array.from({ length: width * height }, (_, place) => colours[4 * place]), width, height }), { rest });
}

function prepare({ grey, width, height }) {
  try {
    return { pixels: Float32Array.from(toMnist(grey, width, height), (value) => value / 255) };
  } catch ({ message }) {  // no ink or several digits: what was seen last stays
    return { pixels: digit.pixels, problem: message };
  }
}

function seeSample(pixels, label) {
  const picture = document.createElement("canvas");
  paintValues(picture, pixels.map((value) => 1 - value), 28, GREYS);
  pad.load(picture, { replaced: true });
  see({ pixels, label }, { rest: true });
}

async function seeFile(file) {
  if (!file) return;
  try {
    const picture = await openPicture(file, texts.files), { width, height } = picture, scale = 280 / Math.max(width, height);
    const paper = Object.assign(document.createElement("canvas"), { width: 280, height: 280 }), ink = paper.getContext("2d");
    ink.fillStyle = "white";
    ink.fillRect(0, 0, 280, 280);
    ink.drawImage(picture.canvas, (280 - scale * width) / 2, (280 - scale * height) / 2, scale * width, scale * height);
    pad.load(paper, { replaced: true });
    see(prepare(picture), { rest: true });
  } catch ({ message }) {
    see({ pixels: digit.pixels, problem: message }, { rest: true });
  }
}

// ---------------------------------------------------------------- what is on the page

useNetwork("robust");
const bars = createBars(at("bars"), { texts: TEXTS.pad });
const pad = createPad(at("pad"), {
  texts: TEXTS.pad,
  onChange: () => { drawn ??= requestAnimationFrame(() => seePad()); },
  onLift: () => seePad({ rest: true }),
});

const choice = at("networks");
choice.insertAdjacentHTML("beforeend", Object.keys(packed).map((name) =>
  `<label><input type="radio" name="network" value="${name}"${networks[name] ? " checked" : ""}>${name}</label>`).join(""));
choice.onchange = ({ target }) => {
  useNetwork(target.value);
  explorer?.setNetwork(network);
  seeAgain();
};

// ---------------------------------------------------------------- the first reading, then what takes longer to build

const packedSamples = dataOf("samples"), { first } = packedSamples;
seeSample(Float32Array.from(bytesOf(first.pixels), (value) => value / 255), first.label);
performance.mark("first reading");
await new Promise((painted) => { requestAnimationFrame(() => setTimeout(painted)); });

const samples = await unpackSamples(packedSamples);
let last;

/** A sample at random for which `isWanted` holds, another than the last. */
function anySample(isWanted) {
  const wanted = samples.all.filter((sample) => sample !== last && isWanted(sample));
  return last = wanted[Math.floor(Math.random() * wanted.length)];
}

const isMisread = (sample) => best(network.read(samples.pixelsOf(sample)).probabilities).digit !== sample.label;
const seeAny = (isWanted) => {
  const sample = anySample(isWanted);
  seeSample(samples.pixelsOf(sample), sample.label);
};
at("random").onclick = () => seeAny(({ misread }) => !misread);
at("misread").onclick = () => seeAny((sample) => sample.misread && isMisread(sample));
at("file").onchange = ({ target }) => {
  seeFile(target.files[0]);
  target.value = "";  // the same file may be chosen again
};
document.ondragover = (event) => event.preventDefault();
document.ondrop = (event) => {
  event.preventDefault();
  seeFile(event.dataTransfer.files[0]);
};

explorer = createExplorer(at("network"), { network, texts: TEXTS.explorer, onEdit: seeAgain });
cover = createCover(at("cover"), { texts: TEXTS.cover });
changes = createChanges(at("changes"), { texts: TEXTS.changes });
seeAgain();
